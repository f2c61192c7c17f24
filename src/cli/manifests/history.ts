import { type Command, Option } from 'commander'
import type { JournalEntry } from '../../manifests/journal/journal.ts'
import { formatTable } from '../../ui/table.ts'
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
      'RESOURCE is a name (`web`), with its type (`deployment/web`), or as the list has it. `-o json` has what was there before and after, but for the values of Secrets.',
    examples: ['history', 'history web', 'history deployment/web -o json'],
  }
  const limit = new Option('--limit <count>', 'how many').default(50).argParser(parseCount(1, 1_000_000))
  return newCommand(cli, words, [limit, outputOption(), ...configOptions()]).action(
    (resource: string | undefined, options: HistoryOptions) => history(cli, resource, options),
  )
}

async function history(cli: Cli, resource: string | undefined, options: HistoryOptions): Promise<void> {
  const { openJournal, journalIn } = await import('../../manifests/journal/journal.ts')
  const all = await openJournal(journalIn(pathsOf(cli, options).state)).read()
  const found = all
    .filter(({ resources }) => resource === undefined || resources.some((name) => isMeant(name, resource)))
    .reverse()
    .slice(0, options.limit)
  if (found.length === 0) cli.io.stderr.write('nothing was written\n')
  const names = found.map(({ id }) => id)
  await printData(cli, { format: options.output, data: found, names }, () =>
    found.length === 0 ? '' : formatHistory(found, options.output === 'wide'),
  )
}

/** Whether `Deployment.apps shop/web` is what `web`, `deployment/web` or itself means. */
export function isMeant(id: string, word: string): boolean {
  const [kind = '', place = ''] = id.split(' ')
  const name = place.slice(place.indexOf('/') + 1)
  const [first = '', second] = word.split('/')
  if (word === id || word === place || word === name) return true
  return second === name && kind.split('.')[0]?.toLowerCase() === first.toLowerCase().replace(/s$/, '')
}

export function formatHistory(entries: readonly JournalEntry[], wide: boolean): string {
  const headers = ['time', 'resource', 'written to', 'outcome', 'who']
  const rows = entries.map(({ at, resources, where, context, file, outcome, reason, before, after, who }) => {
    const [first = '', ...more] = resources
    const what = more.length === 0 ? first : `${first} and ${more.length} more`
    const verb = after === null ? 'deleted from ' : before === null ? 'new in ' : ''
    const target = `${verb}${where === 'cluster' ? context : file}`
    const row = [formatTime(Date.parse(at)), what, target, outcome === 'begun' ? 'unknown' : outcome, who]
    return wide ? [...row, reason, file] : row
  })
  return formatTable(wide ? [...headers, 'reason', 'file'] : headers, rows)
}
