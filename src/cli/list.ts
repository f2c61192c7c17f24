import type { Command } from 'commander'
import type { Spec } from '../config/spec.ts'
import { formatTable } from '../ui/table.ts'
import { newCommand } from './command.ts'
import type { Cli } from './io.ts'
import { type ConfigOptions, configOptions, type OutputFormat, outputOption } from './options.ts'
import { printData } from './output.ts'
import { podsOf } from './words.ts'

interface ListOptions extends ConfigOptions {
  readonly output?: OutputFormat
}

export function listCommand(cli: Cli): Command {
  const words = {
    usage: 'list',
    summary: 'Lists the specs: what is to be synced, whether or not it is.',
    examples: ['list', 'list -o yaml'],
  }
  return newCommand(cli, words, [outputOption(), ...configOptions()]).action((options: ListOptions) =>
    list(cli, options),
  )
}

async function list(cli: Cli, options: ListOptions): Promise<void> {
  const { loadConfig } = await import('../config/store.ts')
  const { pathsOf } = await import('./paths.ts')
  const { specs } = await loadConfig(pathsOf(cli, options).config)
  if (specs.length === 0) cli.io.stderr.write(`there are no specs yet; \`${cli.name} create\` makes one\n`)
  await printData(cli, { format: options.output, data: specs, names: specs.map(({ name }) => name) }, () =>
    specs.length === 0 ? '' : specTable(specs, options.output === 'wide'),
  )
}

function specTable(specs: readonly Spec[], wide: boolean): string {
  const headers = ['name', 'local', 'remote', 'pods', 'namespace', 'context']
  const rows = specs.map((spec) => [
    ...[spec.name, spec.local, spec.remote, podsOf(spec), spec.namespace, spec.context],
    ...(wide ? [spec.container ?? '<default>', spec.mode] : []),
  ])
  return formatTable(wide ? [...headers, 'container', 'mode'] : headers, rows)
}
