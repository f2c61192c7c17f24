import type { Command } from 'commander'
import { KubesyncError } from '../errors.ts'
import { printable } from '../ui/text.ts'
import { newCommand } from './command.ts'
import type { Cli } from './io.ts'
import { type ConfigOptions, configOptions } from './options.ts'

export function reloadCommand(cli: Cli): Command {
  const words = {
    usage: 'reload <NAME>',
    summary: 'Reloads the containers of a spec now, in the way that its --reload says.',
    details: 'A watch has to run. `get` shows what the last reload did.',
    examples: ['reload calm-otter'],
  }
  return newCommand(cli, words, configOptions()).action((name: string, options: ConfigOptions) =>
    reload(cli, name, options),
  )
}

async function reload(cli: Cli, name: string, options: ConfigOptions): Promise<void> {
  const { askReload } = await import('../daemon/client.ts')
  const { describeReload } = await import('../daemon/describe-reload.ts')
  const { pathsOf } = await import('./paths.ts')
  const reloaded = await askReload(pathsOf(cli, options).socket, name)
  if (reloaded === undefined) {
    throw new KubesyncError('NO_WATCH', 'no watch runs', { hint: `\`${cli.name} watch\` starts one` })
  }
  if (reloaded.length === 0) throw new KubesyncError('NO_CONTAINER', `${name} has no running container`)
  for (const { pod, container, ...report } of reloaded) {
    cli.io.stdout.write(`${printable(`${pod}/${container}: ${describeReload(report)}`)}\n`)
  }
  if (reloaded.some(({ error }) => error !== undefined)) cli.exitCode = 1
}
