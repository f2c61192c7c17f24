import type { Command } from 'commander'
import { KubesyncError } from '../errors.ts'
import { styleFor } from '../ui/style.ts'
import { formatTable } from '../ui/table.ts'
import { printable } from '../ui/text.ts'
import { newCommand } from './command.ts'
import { describeHints } from './get-hints.ts'
import { formatManifests, type ManifestsView, manifestViews } from './get-manifests.ts'
import { describeNotes } from './get-notes.ts'
import { getRows, mergeStatus, type SpecView } from './get-rows.ts'
import type { Cli } from './io.ts'
import { pickNamed } from './named.ts'
import { type ConfigOptions, configOptions, type OutputFormat, outputOption } from './options.ts'
import { printData } from './output.ts'
import { describeHint } from './report.ts'
import { formatTime } from './time.ts'

interface GetOptions extends ConfigOptions {
  readonly output?: OutputFormat
}

export function getCommand(cli: Cli): Command {
  const words = {
    usage: 'get [names...]',
    summary: 'Shows how syncing stands: each spec with its containers, and each folder of manifests.',
    details:
      'It asks the running process. Conflicts and problems are listed below the tables; -o wide lists all of them.',
    examples: ['get', 'get calm-otter -o wide', 'get -o json'],
  }
  return newCommand(cli, words, [outputOption(), ...configOptions()]).action(
    (names: string[], options: GetOptions) => get(cli, names, options),
  )
}

async function get(cli: Cli, names: readonly string[], options: GetOptions): Promise<void> {
  const { loadConfig } = await import('../config/store.ts')
  const { pathsOf } = await import('./paths.ts')
  const { specs } = await loadConfig(pathsOf(cli, options).config)
  const { status, manifests } = await ask(cli, options)
  const all = mergeStatus(specs, status?.watches === true ? status.specs : undefined)
  const both: readonly (SpecView | ManifestsView)[] = [...all, ...manifests]
  const chosen = names.length === 0 ? both : pickNamed(both, names)
  const views = chosen.filter((one): one is SpecView => one.kind === 'files')
  const kept = chosen.filter((one) => one.kind === 'manifests')
  const { stderr } = cli.io
  if (status?.watches !== true && (all.length > 0 || both.length === 0))
    stderr.write(`no watch runs; \`${cli.name} watch\` starts one\n`)
  if (both.length === 0) stderr.write(`there are no specs yet; \`${cli.name} create\` makes one\n`)
  const wide = options.output === 'wide'
  await printData(cli, { format: options.output, data: chosen, names: chosen.map(({ name }) => name) }, () =>
    [
      ...(views.length === 0 ? [] : [table(views, wide)]),
      ...(kept.length === 0 ? [] : [formatManifests(kept, wide)]),
    ].join('\n'),
  )
  for (const hint of [...describeHints(views, cli.name), ...keptHints(kept, cli.name)]) {
    stderr.write(describeHint(printable(hint), stderr))
  }
}

/** Shows how folders of manifests stand, or one of them. */
export async function showKept(cli: Cli, folder: string | undefined, options: ConfigOptions): Promise<void> {
  const { status, manifests } = await ask(cli, options)
  const kept = manifests.filter((one) => folder === undefined || one.folder === folder)
  const { stdout, stderr } = cli.io
  if (kept.length === 0) return void stderr.write('no folder of manifests is kept in step\n')
  stdout.write(formatManifests(kept, true))
  if (status !== undefined) {
    const since = formatTime(Date.parse(status.startedAt))
    stderr.write(`process ${status.pid} does it, since ${since}\n`)
  }
  for (const hint of keptHints(kept, cli.name)) stderr.write(describeHint(printable(hint), stderr))
}

/** What the running process says, and the folders of manifests that it keeps, or would if it ran. */
async function ask(cli: Cli, options: ConfigOptions) {
  const { readKeeps } = await import('../daemon/keeps/written.ts')
  const { askStatus } = await import('../daemon/client.ts')
  const { pathsOf } = await import('./paths.ts')
  const { keeps, socket } = pathsOf(cli, options)
  const status = await askStatus(socket)
  const written = status === undefined ? await readKeeps(keeps).catch(warnOf(cli)) : []
  return { status, manifests: manifestViews(written, status?.keeps) }
}

/** What is wrong with the one kind hides nothing of the other. */
function warnOf({ io: { stderr } }: Cli): (error: unknown) => [] {
  return (error) => {
    if (!(error instanceof KubesyncError)) throw error
    stderr.write(`${styleFor(stderr)('yellow', 'warning:')} ${printable(error.message)}\n`)
    return []
  }
}

function keptHints(views: readonly ManifestsView[], name: string): string[] {
  const hints: string[] = []
  if (views.some(({ status }) => (status?.conflicts.length ?? 0) > 0)) {
    hints.push(
      `\`${name} conflicts\` shows what waits for an answer, and \`${name} resolve\` asks about each`,
    )
  }
  if (views.some(({ state, status }) => state === 'stopped' && status === undefined)) {
    hints.push(`no process runs; \`${name} daemon -b\` or \`${name} watch -b\` goes on with what is stopped`)
  }
  return hints
}

function table(views: readonly SpecView[], wide: boolean): string {
  const { headers, rows } = getRows(views, wide)
  const notes = describeNotes(views, wide ? Number.POSITIVE_INFINITY : 5)
  return (
    formatTable(headers, rows) + (notes.length === 0 ? '' : `\n${notes.map((note) => `${note}\n`).join('')}`)
  )
}
