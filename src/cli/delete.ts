import { type Command, Option } from 'commander'
import { newCommand } from './command.ts'
import type { Cli } from './io.ts'
import { pickNamed } from './named.ts'
import { type ConfigOptions, configOptions } from './options.ts'
import { usageError } from './values.ts'

interface DeleteOptions extends ConfigOptions {
  readonly all?: true
}

export function deleteCommand(cli: Cli): Command {
  const words = {
    usage: 'delete [names...]',
    summary: 'Deletes specs; the files on both sides stay.',
    examples: ['delete calm-otter', 'delete --all'],
  }
  const all = new Option('--all', 'delete every spec')
  return newCommand(cli, words, [all, ...configOptions()]).action((names: string[], options: DeleteOptions) =>
    remove(cli, names, options),
  )
}

async function remove(cli: Cli, names: readonly string[], options: DeleteOptions): Promise<void> {
  if (names.length === 0 && options.all !== true) {
    throw usageError('which spec?', `name it, or say --all; \`${cli.name} list\` shows them`)
  }
  if (names.length > 0 && options.all === true) throw usageError('either names or --all, not both')
  const { loadConfig, removeSpecs } = await import('../config/store.ts')
  const { pathsOf } = await import('./paths.ts')
  const { forgetSpecState } = await import('../daemon/state.ts')
  const { config, state } = pathsOf(cli, options)
  const chosen = pickNamed((await loadConfig(config)).specs, names, 'nothing was deleted')
  const removed = await removeSpecs(config, options.all === true ? 'all' : chosen.map(({ name }) => name))
  if (removed.length === 0) cli.io.stderr.write('there are no specs\n')
  for (const spec of removed) {
    // A running watch does the same when it has ended the spec; until then it holds on to its state.
    await forgetSpecState(state, spec)
    cli.io.stdout.write(`${spec.name} deleted\n`)
  }
}
