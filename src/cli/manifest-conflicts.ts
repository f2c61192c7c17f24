import type { KeptFolder } from '../daemon/keeps/runner.ts'
import { KubesyncError } from '../errors.ts'
import { isMeant } from '../manifests/journal/operations.ts'
import type { KeepConflict } from '../manifests/keep/status.ts'
import { formatTable } from '../ui/table.ts'
import { count, printable, printableLines } from '../ui/text.ts'
import type { Cli } from './io.ts'

/** What waits for an answer in a folder of manifests: a conflict, or a deletion. */
export interface ManifestConflict extends Omit<KeepConflict, 'kind'> {
  readonly kind: 'manifests'
  readonly what: KeepConflict['kind']
  readonly folder: string
  readonly context: string
  readonly server: string
}

export function manifestConflicts(kept: readonly KeptFolder[]): ManifestConflict[] {
  return kept.flatMap(({ folder, context, server, status }) =>
    (status?.conflicts ?? []).map(({ kind: what, ...conflict }) => ({
      ...({ kind: 'manifests', what, folder, context, server } as const),
      ...conflict,
    })),
  )
}

/** What names it on a command line: `Deployment.apps shop/web:spec.replicas`. */
export function nameOfConflict({ resource, field, id }: ManifestConflict): string {
  if (resource === '') return id
  return field === '' ? resource : `${resource}:${field}`
}

/** Those that `web`, `deployment/web`, `web:spec.replicas`, a file or an id mean. */
export function meantConflicts(all: readonly ManifestConflict[], word: string): ManifestConflict[] {
  return all.filter(({ resource, field, file, id }) => {
    if (word === id || word === file) return true
    const head = field !== '' && word.endsWith(`:${field}`) ? word.slice(0, -field.length - 1) : word
    return resource !== '' && isMeant(resource, head)
  })
}

export function formatManifestConflicts(all: readonly ManifestConflict[], wide: boolean): string {
  const headers = ['resource', 'field', 'local', 'remote', 'file']
  const rows = all.map(({ what, resource, field, local, remote, file, context, folder, id, why }) => [
    ...[resource === '' ? id : resource, describeField(what, field)],
    ...[describeValue(field, local), describeValue(field, remote), file === '' ? '-' : file],
    ...(wide ? [context, folder, id, why] : []),
  ])
  return formatTable(wide ? [...headers, 'context', 'folder', 'id', 'what happened'] : headers, rows)
}

function describeField(what: ManifestConflict['what'], field: string): string {
  if (what === 'many-deleted') return '(many objects)'
  return field === '' ? '(all of it)' : field
}

/** Characters of a value that a table has room for. */
const room = 30

function describeValue(field: string, value: string | undefined): string {
  if (value === undefined) return '-'
  if (field === '') return 'there'
  const [first = '', ...more] = value.split('\n')
  return more.length > 0 || first.length > room ? `${first.slice(0, room - 1)}…` : first
}

/** Lines of a value that are shown. */
const maxLines = 20

/** One of them in full, for somebody who is asked. */
export function showManifestConflict(conflict: ManifestConflict, position: string): string {
  const { resource, file, field, local, remote, context, why, answers } = conflict
  const place = [resource, file === '' ? '' : `(${file})`].filter((part) => part !== '').join(' ')
  const head = [place === '' ? conflict.folder : place, field].filter((part) => part !== '').join(': ')
  const values =
    field === '' ? [] : [...valueLines('local', local), ...valueLines(`remote (${context})`, remote)]
  return `\n${[`${position}: ${head}`, ...values].map(printable).join('\n')}\n${printableLines(`  ${why}; ${answers}`)}\n`
}

function valueLines(side: string, value: string | undefined): string[] {
  if (value === undefined) return [`  ${side}: not there`]
  const [first = '', ...more] = value.split('\n')
  if (more.length === 0) return [`  ${side}: ${first}`]
  const lines = [first, ...more].slice(0, maxLines).map((line) => `    ${line}`)
  const left = more.length + 1 - maxLines
  return [`  ${side}:`, ...lines, ...(left > 0 ? [`    … ${count(left, 'more line')}`] : [])]
}

/** Settles those; rejects with NO_WATCH if the process is gone. */
export async function settleManifests(
  cli: Cli,
  { socket, keep }: { readonly socket: string; readonly keep: 'local' | 'remote' },
  conflicts: readonly ManifestConflict[],
): Promise<void> {
  const { askSettle } = await import('../daemon/client.ts')
  const { noWatch } = await import('./spec-path.ts')
  for (const { folder, server, id } of conflicts) {
    if (!(await askSettle(socket, { folder, server, id, keep }))) throw noWatch(cli)
  }
}

/** Refuses what only files can do. */
export function refuseForManifests(): KubesyncError {
  return new KubesyncError('NOT_FOR_MANIFESTS', 'of manifests one side stays, or the other', {
    hint: 'say `--keep local` or `--keep remote`; field by field it says RESOURCE:FIELD',
  })
}
