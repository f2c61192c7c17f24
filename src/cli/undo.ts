import { join, relative, sep } from 'node:path'
import { type Command, Option } from 'commander'
import { KubesyncError } from '../errors.ts'
import type { Catalog, Item } from '../files/trash/catalog.ts'
import type { Step, Undone } from '../files/trash/undo.ts'
import { bytes, count, printable } from '../ui/text.ts'
import { confirm } from './ask.ts'
import { newCommand } from './command.ts'
import type { Cli } from './io.ts'
import { type ConfigOptions, configOptions, type OutputFormat, outputOption } from './options.ts'
import { printData } from './output.ts'
import { formatTime, parseTime } from './time.ts'
import type { Spot, When } from './undo-select.ts'
import { usageError } from './values.ts'

interface UndoOptions extends ConfigOptions, When {
  readonly spec?: string
  readonly list?: true
  readonly yes?: true
  readonly output?: OutputFormat
}

export function undoCommand(cli: Cli): Command {
  const words = {
    usage: 'undo [paths...]',
    summary: 'Brings back what a sync replaced or deleted on this machine.',
    details: [
      'Such things are kept in a trash. A PATH comes back in its newest version there, a folder with what was taken',
      'from it last. What is at its place now goes into the trash itself, so that an undo can be undone; that is',
      'asked about. A running watch carries what came back to the containers, as any edit.',
    ].join(' '),
    examples: [
      'undo --list',
      'undo src/main.js',
      'undo --last',
      "undo --at '2024-05-31 17:30:00'",
      'undo --since 1h --spec calm-otter src',
    ],
  }
  return newCommand(cli, words, [
    new Option('--list', 'list what is in the trash, and change nothing'),
    new Option('--last', 'undo all that the last sync did together').conflicts(['since', 'at']),
    new Option('--at <time>', 'undo what was done together at that time of the list')
      .argParser((text) => parseTime(text))
      .conflicts('since'),
    new Option('--since <time>', 'bring everything back as it was then: 10m (ago), 17:30, a date').argParser(
      (text) => parseTime(text),
    ),
    new Option('--spec <name>', 'only what this spec did; paths are relative to its folder'),
    new Option('--yes', 'replace what is at a place now without asking'),
    outputOption(),
    ...configOptions(),
  ]).action((paths: string[], options: UndoOptions) => undo(cli, paths, options))
}

async function undo(cli: Cli, paths: readonly string[], options: UndoOptions): Promise<void> {
  const { openCatalog } = await import('../files/trash/catalog.ts')
  const { pathsOf } = await import('./paths.ts')
  checkUsage(cli, paths, options)
  const { trash } = pathsOf(cli, options)
  const catalog = await openCatalog(trash)
  try {
    const scope = await scopeOf(cli, { catalog, paths, options })
    if (options.list) await list(cli, scope, options.output)
    else await bringBack(cli, scope, { options, trash })
  } finally {
    catalog.close()
  }
}

function checkUsage(
  { name }: Cli,
  paths: readonly string[],
  { list, output, last, since, at }: UndoOptions,
): void {
  if (list) return
  if (output !== undefined) throw usageError('-o is for --list')
  if (paths.length > 0 || last || since !== undefined || at !== undefined) return
  throw usageError(
    'what is to come back?',
    `name a path, or say --last; \`${name} undo --list\` shows what there is`,
  )
}

/** The part of the trash that a command line is about. */
interface Scope {
  readonly items: readonly Item[]
  readonly spots: readonly Spot[]
}

interface Asked {
  readonly catalog: Catalog
  readonly paths: readonly string[]
  readonly options: UndoOptions
}

async function scopeOf(cli: Cli, { catalog, paths, options }: Asked): Promise<Scope> {
  const { spotOf } = await import('./undo-select.ts')
  const { items, folder } =
    options.spec === undefined ? { items: catalog.items } : await ofSpec(cli, catalog, options)
  const roots = new Set(items.map(({ place }) => place.root))
  const spots: Spot[] = []
  for (const path of paths) {
    const spot = await spotOf(path, folder ?? cli.io.cwd, roots)
    if (spot === undefined) throw notInTrash(cli, path)
    spots.push(spot)
  }
  return { items, spots }
}

async function ofSpec(cli: Cli, { items }: Catalog, options: UndoOptions) {
  const { realpath } = await import('node:fs/promises')
  const { loadConfig, named } = await import('../config/store.ts')
  const { pathsOf } = await import('./paths.ts')
  const { specs } = await loadConfig(pathsOf(cli, options).config)
  const { spec: name = '' } = options
  const own = items.filter(({ origin }) => origin?.spec === name)
  const configured = specs.find((spec) => spec.name === name)
  // What a spec did that is deleted by now can be undone too.
  if (configured === undefined && own.length === 0) named(specs, name)
  const folder =
    configured === undefined ? own[0]?.place.root : await realpath(configured.local).catch(() => undefined)
  return { items: own, folder }
}

async function list(cli: Cli, { items, spots }: Scope, format: OutputFormat | undefined): Promise<void> {
  const { formatTrash, toData } = await import('./undo-list.ts')
  const { within } = await import('./undo-select.ts')
  const shown = within(items, spots)
  if (shown.length === 0) cli.io.stderr.write('there is nothing in the trash\n')
  const data = toData(shown)
  await printData(cli, { format, data, names: data.map(({ path }) => path) }, () =>
    shown.length === 0 ? '' : formatTrash(shown, format === 'wide'),
  )
}

interface Bringing {
  readonly options: UndoOptions
  readonly trash: string
}

async function bringBack(cli: Cli, { items, spots }: Scope, { options, trash }: Bringing): Promise<void> {
  const { select } = await import('./undo-select.ts')
  const { isAtOrBelow } = await import('../files/trash/choose.ts')
  const { carryOutUndo, planUndo } = await import('../files/trash/undo.ts')
  const chosen = select(items, spots, options)
  const missed = spots.find(
    ({ root, path }) => !chosen.some((item) => item.place.root === root && isAtOrBelow(item.path, path)),
  )
  if (missed !== undefined) throw notInTrash(cli, join(missed.root, missed.path))
  if (chosen.length === 0) throw notInTrash(cli)
  const steps = planUndo(chosen)
  if (!(await mayReplace(cli, steps, options.yes === true))) {
    cli.io.stderr.write('nothing was changed\n')
    cli.exitCode = 1
    return
  }
  for (const undone of carryOutUndo(steps, trash)) tell(cli, undone)
}

function notInTrash({ name }: Cli, path?: string): KubesyncError {
  const what = path === undefined ? 'what you ask for' : path
  return new KubesyncError('NOT_IN_TRASH', `there is nothing of ${what} in the trash`, {
    hint: `\`${name} undo --list\` shows what there is`,
  })
}

async function mayReplace(cli: Cli, steps: readonly Step[], isAllowed: boolean): Promise<boolean> {
  const { stderr, ask } = cli.io
  const occupied = steps.flatMap(({ item, occupant }) =>
    occupant.is === 'other' ? [{ item, ...occupant }] : [],
  )
  if (occupied.length === 0 || isAllowed) return true
  for (const { item, stats } of occupied) {
    const now = `${bytes(stats.size)} of ${formatTime(stats.mtimeMs)}`
    const kept = `${bytes(item.size)} of ${formatTime(item.mtimeMs)}`
    stderr.write(`${printable(`${shown(cli, item)}: ${now} would give way to ${kept}`)}\n`)
  }
  const what = count(occupied.length, 'path holds', 'paths hold')
  if (ask === undefined) {
    throw new KubesyncError('WOULD_REPLACE', `${what} something else now; nothing was changed`, {
      hint: '--yes replaces it: it goes into the trash itself',
    })
  }
  return confirm(ask, `${what} something else now. Replace it? It goes into the trash itself.`)
}

function tell(cli: Cli, { item, result, message }: Undone): void {
  const { stdout, stderr } = cli.io
  if (result === 'failed') {
    stderr.write(`${printable(`${shown(cli, item)}: ${message}`)}\n`)
    cli.exitCode = 1
  } else {
    stdout.write(`${printable(shown(cli, item))} ${result === 'same' ? 'was there already' : 'is back'}\n`)
  }
}

/** A path as a person here would type it. */
function shown({ io }: Cli, { place, path }: Item): string {
  const absolute = join(place.root, path)
  const short = relative(io.cwd, absolute)
  return short.startsWith(`..${sep}`) ? absolute : short
}
