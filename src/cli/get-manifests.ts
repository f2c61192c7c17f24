import type { KeepOrder } from '../daemon/keeps/order.ts'
import type { KeptFolder } from '../daemon/keeps/runner.ts'
import type { KeepConflict, KeepStatus } from '../manifests/keep/status.ts'
import { formatTable } from '../ui/table.ts'
import { count, printable } from '../ui/text.ts'

/** A folder of manifests and how it stands: what `get -o json` prints. */
export interface ManifestsView extends KeptFolder {
  readonly kind: 'manifests'
  /** The folder. */
  readonly name: string
  /** `stopped`: no process runs. `failing`: it cannot begin, `trouble` says why. */
  readonly state: KeepStatus['state'] | 'failing'
}

/** What is written down, and what the running process says; undefined if none runs. */
export function manifestViews(
  written: readonly KeepOrder[],
  running: readonly KeptFolder[] | undefined,
): ManifestsView[] {
  const all: readonly KeptFolder[] = running ?? written.map((order) => ({ ...order, stays: true }))
  return all.map((one) => {
    const trouble = one.trouble === undefined ? undefined : 'failing'
    const state = running === undefined ? 'stopped' : (trouble ?? one.status?.state ?? 'starting')
    return { kind: 'manifests', name: one.folder, state, ...one }
  })
}

/** One row for each folder, and below them what the rows have no room for: at most `most` lines of a kind for each. */
export function formatManifests(views: readonly ManifestsView[], wide: boolean): string {
  const headers = ['manifests', 'context', 'namespace', 'mode', 'status', 'objects']
  const more = ['to files', 'to cluster', 'left', 'on conflict', 'on deletion', 'stays', 'server']
  const rows = views.map((view) => [
    ...[view.folder, view.context, view.namespace, view.mode, describeState(view)],
    String(view.status?.objects ?? '-'),
    ...(wide ? moreCells(view) : []),
  ])
  const notes = views.flatMap((view) => notesOf(view, wide)).map(printable)
  const table = formatTable(wide ? [...headers, ...more] : headers, rows)
  return notes.length === 0 ? table : `${table}\n${notes.map((note) => `${note}\n`).join('')}`
}

function moreCells({ status, onConflict, onDeletion, stays, server }: ManifestsView): string[] {
  const numbers = [status?.writes.files, status?.writes.cluster, status?.drift]
  const told = numbers.map((number) => (number === undefined ? '-' : String(number)))
  return [...told, onConflict, onDeletion, stays ? 'yes' : 'no', server]
}

const words: Partial<Record<ManifestsView['state'], string>> = {
  'in-step': 'in step',
  waiting: 'in step',
  away: 'disconnected',
}

function describeState({ state, status }: ManifestsView): string {
  const said = words[state] ?? state
  if (status === undefined || state === 'stopped' || state === 'failing') return said
  const { conflicts, problems } = status
  const changes = conflicts.filter(({ kind }) => kind === 'conflict').length
  const deletions = conflicts.filter(({ kind }) => kind.startsWith('deleted-')).length
  const parts = [
    [changes, 'conflict'],
    [deletions, 'deletion'],
    [problems.length, 'problem'],
  ] as const
  return [said, ...parts.flatMap(([amount, what]) => (amount === 0 ? [] : [count(amount, what)]))].join(', ')
}

/** At most so many conflicts and problems are told of each folder, unless all are wanted. */
const most = 5

function notesOf({ folder, trouble, status }: ManifestsView, wide: boolean): string[] {
  const lines = [
    // That many are gone is why it is halted.
    ...(status?.conflicts ?? []).filter(({ kind }) => kind !== 'many-deleted').map(conflictWords),
    ...(status?.problems ?? []).map(({ about, reason }) => `problem with ${about}: ${reason}`),
    ...(wide ? (status?.left ?? []) : []).map(
      ({ resource, field, reason }) => `${resource}: ${field} is left alone: ${reason}`,
    ),
  ]
  const left = wide ? 0 : lines.length - most
  const shown = [
    ...[trouble, status?.reason].filter((text) => text !== undefined && text !== ''),
    ...(left > 0 ? lines.slice(0, most) : lines),
    ...(left > 0
      ? [`and ${count(left, 'more conflict or problem', 'more conflicts and problems')}; -o wide lists all`]
      : []),
  ]
  return shown.map((line) => `${folder}: ${line}`)
}

/** `conflict at Deployment.apps d/web: spec.replicas: both sides changed it`. */
function conflictWords({ kind, resource, field, why }: KeepConflict): string {
  const head = kind === 'conflict' ? 'conflict at ' : ''
  return [`${head}${resource}`, field, why].filter((part) => part !== '').join(': ')
}
