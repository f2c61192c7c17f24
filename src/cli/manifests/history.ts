import { type Command, Option } from 'commander'
import type { DoneOperation } from '../../manifests/journal/operations.ts'
import { formatTable } from '../../ui/table.ts'
import { count } from '../../ui/text.ts'
import { newCommand } from '../command.ts'
import type { Cli } from '../io.ts'
import { type ConfigOptions, configOptions, type OutputFormat, outputOption } from '../options.ts'
import { printData } from '../output.ts'
import { pathsOf } from '../paths.ts'
import { formatTime } from '../time.ts'
import { parseCount } from '../values.ts'

interface HistoryOptions extends ConfigOptions {
  readonly output?: OutputFormat
  readonly limit: number
}

export function historyCommand(cli: Cli): Command {
  const words = {
    usage: 'history [resource]',
    summary: 'Lists what was written to manifests and to clusters, newest first.',
    details:
      'RESOURCE is a name (`web`), with its type (`deployment/web`), or as the list has it. `revert` takes back what is listed here, and `revert --to` takes its numbers. `-o json` has what was there before and after, but for the values of Secrets.',
    examples: ['history', 'history web', 'history deployment/web -o json'],
  }
  const limit = new Option('--limit <count>', 'how many').default(50).argParser(parseCount(1, 1_000_000))
  return newCommand(cli, words, [limit, outputOption(), ...configOptions()]).action(
    (resource: string | undefined, options: HistoryOptions) => history(cli, resource, options),
  )
}

async function history(cli: Cli, resource: string | undefined, options: HistoryOptions): Promise<void> {
  const { openJournal, journalIn } = await import('../../manifests/journal/journal.ts')
  const { isMeant } = await import('../../manifests/journal/operations.ts')
  const all = await openJournal(journalIn(pathsOf(cli, options).state)).operations()
  const found = all
    .map((one) => ({
      ...one,
      entries: one.entries.filter(
        ({ resources }) => resource === undefined || resources.some((name) => isMeant(name, resource)),
      ),
    }))
    .filter(({ entries }) => entries.length > 0)
    .reverse()
    .slice(0, options.limit)
  if (found.length === 0) cli.io.stderr.write('nothing was written\n')
  const data = found.flatMap(({ number, reverted, entries }) =>
    entries.toReversed().map((entry) => ({ number, ...entry, reverted })),
  )
  const names = found.map(({ number }) => String(number))
  await printData(cli, { format: options.output, data, names }, () =>
    found.length === 0 ? '' : formatHistory(found, options.output === 'wide'),
  )
}

export function formatHistory(operations: readonly DoneOperation[], wide: boolean): string {
  const headers = ['#', 'time', 'command', 'resource', 'written to', 'outcome', 'who']
  const rows = operations.map((operation) => {
    const { number, at, command, entries, who } = operation
    const [first = '', ...more] = new Set(entries.flatMap(({ resources }) => resources))
    const what = more.length === 0 ? first : `${first} and ${more.length} more`
    const place = placesOf(operation)
    const row = [
      String(number),
      formatTime(Date.parse(at)),
      command || '-',
      what,
      place,
      outcomeOf(operation),
      who,
    ]
    const reasons = new Set(entries.map(({ reason }) => reason).filter((reason) => reason !== ''))
    const files = new Set(entries.map(({ file }) => file))
    return wide ? [...row, [...reasons].join('; '), [...files].join(' ')] : row
  })
  return formatTable(wide ? [...headers, 'reason', 'file'] : headers, rows)
}

/** Where an operation wrote: to a file or several, to a cluster, or both. */
function placesOf({ entries }: DoneOperation): string {
  const files = new Set(entries.filter(({ where }) => where === 'file').map(({ file }) => file))
  const contexts = new Set(entries.filter(({ where }) => where === 'cluster').map(({ context }) => context))
  const [file = ''] = files
  const places = [
    ...contexts,
    ...(files.size > 1 ? [count(files.size, 'file')] : files.size === 1 ? [file] : []),
  ]
  const isNew = entries.every(({ before }) => before === null)
  const isGone = entries.every(({ after }) => after === null)
  return `${isNew ? 'new in ' : isGone ? 'deleted from ' : ''}${places.join(', ')}`
}

function outcomeOf({ entries, reverted }: DoneOperation): string {
  const outcomes = new Set(entries.map(({ outcome }) => outcome))
  const [only = ''] = outcomes
  const words = outcomes.has('begun') ? 'unknown' : outcomes.size > 1 ? 'partly failed' : only
  return reverted === 'no' ? words : `${words}, ${reverted === 'yes' ? '' : 'partly '}reverted`
}
