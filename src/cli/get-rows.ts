import type { Spec } from '../config/spec.ts'
import type { BoundSessionStatus, SpecStatus } from '../daemon/status.ts'
import type { SessionStatus } from '../files/status.ts'
import { bytes, count, grouped } from '../ui/text.ts'
import { podsOf } from './words.ts'

/** A spec and how it stands: what `get -o json` prints. */
export interface SpecView extends Partial<Omit<Spec, 'name'>> {
  readonly kind: 'files'
  readonly name: string
  /** `stopped`: no watch runs. The rest is as the watch tells it. */
  readonly state: SpecStatus['state'] | 'stopped'
  readonly message?: string
  readonly sessions: readonly BoundSessionStatus[]
}

/**
 * Puts what is configured and what the running watch says together; undefined if none runs. What it does not
 * know yet waits, what it still ends although it is deleted is there too.
 */
export function mergeStatus(specs: readonly Spec[], running: readonly SpecStatus[] | undefined): SpecView[] {
  const kind = 'files' as const
  const configured = specs.map((spec): SpecView => {
    if (running === undefined) return { kind, ...spec, state: 'stopped', sessions: [] }
    const status = running.find(({ name }) => name === spec.name)
    return { kind, ...spec, ...(status ?? { state: 'waiting', message: 'not picked up yet', sessions: [] }) }
  })
  const ending = (running ?? []).filter(({ name }) => !specs.some((spec) => spec.name === name))
  return [...configured, ...ending.map((status) => ({ kind, ...status, message: 'deleted; it is ending' }))]
}

interface Rows {
  readonly headers: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

const nothing = '-'

/** One row for each session, and one for each spec that has none. */
export function getRows(views: readonly SpecView[], wide: boolean): Rows {
  const headers = ['spec', 'local', 'remote', 'status', 'pod', 'role', 'container']
  const more = ['node', 'entries', 'sent', 'received', 'pods', 'namespace', 'context']
  const rows = views.flatMap((view) => {
    const sessions = view.sessions.length === 0 ? [undefined] : view.sessions
    return sessions.map((session) => [
      ...[view.name, view.local ?? nothing, view.remote ?? nothing, describeRow(view, session)],
      ...[session?.pod ?? nothing, session?.role ?? nothing],
      ...[session?.container ?? view.container ?? nothing],
      ...(wide ? moreCells(view, session) : []),
    ])
  })
  return { headers: wide ? [...headers, ...more] : headers, rows }
}

function moreCells(view: SpecView, bound: BoundSessionStatus | undefined): string[] {
  const session = bound?.session
  const numbers = [session?.entries.local, session?.applied.remote, session?.applied.local]
  const pods = view.selector === undefined && view.pod === undefined ? nothing : podsOf(view)
  return [
    bound?.node ?? nothing,
    ...numbers.map((number) => (number === undefined ? nothing : String(number))),
    ...[pods, view.namespace ?? nothing, view.context ?? nothing],
  ]
}

function describeRow(view: SpecView, bound: BoundSessionStatus | undefined): string {
  if (bound === undefined || view.state === 'disconnected') return view.state
  if (bound.session === undefined) return bound.message === undefined ? 'connecting' : 'failing'
  const own = bound.role === 'follower' ? ownChanges(bound.session) : 0
  return describeSession(bound.session) + (own > 0 ? `, ${count(own, 'own change')}` : '')
}

/** What a follower has for itself; a conflict is told of by itself. */
function ownChanges({ phase, own = 0, conflicts }: SessionStatus): number {
  return phase === 'in-sync' ? own - conflicts.length : 0
}

/** How a session stands, in some words: `in sync, 2 conflicts`. */
export function describeSession(session: SessionStatus): string {
  const { conflicts, problems } = session
  const troubles = [
    conflicts.length > 0 ? count(conflicts.length, 'conflict') : '',
    problems.length > 0 ? count(problems.length, 'problem') : '',
  ]
  return [describePhase(session), ...troubles].filter((part) => part !== '').join(', ')
}

function describePhase({ phase, progress }: SessionStatus): string {
  if (phase === 'in-sync') return 'in sync'
  return phase === 'syncing' && progress !== undefined ? `syncing ${percent(progress)}%` : phase
}

type Transfer = NonNullable<SessionStatus['progress']>

/** Bytes tell how long it takes, unless there are none to speak of. */
function percent({ done, total, bytesDone, bytesTotal }: Transfer): number {
  const share = bytesTotal > 1_000_000 ? bytesDone / bytesTotal : done / Math.max(total, 1)
  // It is over when it says so, and not before.
  return Math.min(99, Math.floor(share * 100))
}

/** A transfer under way, for one line: `1,200 of 20,000 changes, 12 MiB of 261 MiB`. */
export function describeTransfer({ done, total, bytesDone, bytesTotal }: Transfer): string {
  const changes = `${grouped(done)} of ${count(total, 'change')}`
  return bytesTotal === 0 ? changes : `${changes}, ${bytes(bytesDone)} of ${bytes(bytesTotal)}`
}
