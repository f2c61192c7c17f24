import type { Command } from 'commander'
import { formatTable } from '../ui/table.ts'
import { printable } from '../ui/text.ts'
import { newCommand } from './command.ts'
import { describeHints } from './get-hints.ts'
import { describeNotes } from './get-notes.ts'
import { getRows, mergeStatus, type SpecView } from './get-rows.ts'
import type { Cli } from './io.ts'
import { pickNamed } from './named.ts'
import { type ConfigOptions, configOptions, type OutputFormat, outputOption } from './options.ts'
import { printData } from './output.ts'
import { describeHint } from './report.ts'

interface GetOptions extends ConfigOptions {
  readonly output?: OutputFormat
}

export function getCommand(cli: Cli): Command {
  const words = {
    usage: 'get [names...]',
    summary: 'Shows how syncing stands: each spec, and the containers it is synced with.',
    details:
      'It asks the running watch. Conflicts and problems are listed below the table; -o wide lists all of them.',
    examples: ['get', 'get calm-otter -o wide', 'get -o json'],
  }
  return newCommand(cli, words, [outputOption(), ...configOptions()]).action(
    (names: string[], options: GetOptions) => get(cli, names, options),
  )
}

async function get(cli: Cli, names: readonly string[], options: GetOptions): Promise<void> {
  const { loadConfig } = await import('../config/store.ts')
  const { askStatus } = await import('../daemon/client.ts')
  const { pathsOf } = await import('./paths.ts')
  const paths = pathsOf(cli, options)
  const { specs } = await loadConfig(paths.config)
  const status = await askStatus(paths.socket)
  const all = mergeStatus(specs, status?.specs)
  const views = names.length === 0 ? all : pickNamed(all, names)
  if (status === undefined) cli.io.stderr.write(`no watch runs; \`${cli.name} watch\` starts one\n`)
  if (all.length === 0) cli.io.stderr.write(`there are no specs yet; \`${cli.name} create\` makes one\n`)
  await printData(cli, { format: options.output, data: views, names: views.map(({ name }) => name) }, () =>
    views.length === 0 ? '' : table(views, options.output === 'wide'),
  )
  for (const hint of describeHints(views, cli.name)) {
    cli.io.stderr.write(describeHint(printable(hint), cli.io.stderr))
  }
}

function table(views: readonly SpecView[], wide: boolean): string {
  const { headers, rows } = getRows(views, wide)
  const notes = describeNotes(views, wide ? Number.POSITIVE_INFINITY : 5)
  return (
    formatTable(headers, rows) + (notes.length === 0 ? '' : `\n${notes.map((note) => `${note}\n`).join('')}`)
  )
}
