import { type Mode, writesTo } from '../files/mode.ts'
import type { SessionStatus } from '../files/status.ts'
import { describeSettling } from './settling.ts'
import type { LogEvent } from './world.ts'

/** Turns the statuses of a session, which come many a second, into the few lines that a log is for. */
export interface Narrator {
  status(status: SessionStatus): void
  /** The session could not start, or ended. The same reason is told once. */
  failed(message: string): void
  close(): void
}

/** Changes are summed up for this long before they are told, in milliseconds. */
const settle = 1000

export interface NarratorOptions {
  /** What the lines begin with. */
  readonly label: string
  readonly mode: Mode
  readonly log: (event: Omit<LogEvent, 'spec'>) => void
}

export function newNarrator({ label, mode, log }: NarratorOptions): Narrator {
  let told: Told | undefined
  let seen: SessionStatus | undefined
  let complaint: string | undefined
  let timer: NodeJS.Timeout | undefined
  /** What the container had for itself when both sides last held the same. */
  let own: number | undefined
  let missed = 0

  function tell(): void {
    clearTimeout(timer)
    timer = undefined
    if (seen === undefined) return
    for (const event of describe(told, seen, mode)) log({ ...event, message: `${label}: ${event.message}` })
    told = { ...seen, counted: seen.phase === 'in-sync' ? seen.applied : told?.counted }
  }

  return {
    status(status) {
      seen = status
      if (status.phase === 'in-sync') own = status.own ?? 0
      missed = status.phase === 'ended' ? (status.own ?? 0) - (own ?? Infinity) : 0
      if (status.phase === 'in-sync' || status.phase === 'halted') complaint = undefined
      // What a person has to know at once is told at once.
      const isReached = status.phase === 'in-sync' && told?.counted === undefined
      if (told === undefined || isReached || status.phase === 'halted') tell()
      else timer ??= setTimeout(tell, settle)
    },
    failed(message) {
      tell()
      told = undefined
      seen = undefined
      if (message !== complaint) log({ level: 'warn', message: `${label}: ${message}` })
      complaint = message
    },
    close() {
      tell()
      if (missed <= 0 || !writesTo(mode, 'local')) return
      const what = missed === 1 ? 'a change' : `${missed} changes`
      log({ level: 'warn', message: `${label}: it went before ${what} in it had arrived here` })
    },
  }
}

type Line = Omit<LogEvent, 'spec'>

/** What was told last. */
export interface Told extends SessionStatus {
  /** The changes that were told of, since when both sides last held the same; undefined before that. */
  readonly counted: SessionStatus['applied'] | undefined
}

/** What a person wants to know of the way from what was told to what is now. Pure. */
export function describe(before: Told | undefined, now: SessionStatus, mode: Mode): readonly Line[] {
  return [
    ...phase(before, now),
    ...news('conflict', before?.conflicts, now.conflicts),
    ...settling(before, now, mode),
    ...problems(before, now),
  ]
}

/** How to settle the first conflicts; who had some knows. */
function settling(before: Told | undefined, now: SessionStatus, mode: Mode): readonly Line[] {
  if (now.conflicts.length === 0 || (before?.conflicts.length ?? 0) > 0) return []
  return [{ level: 'info', message: `to settle a conflict, ${describeSettling(mode)}` }]
}

function phase(before: Told | undefined, now: SessionStatus): readonly Line[] {
  if (now.phase === 'halted' && before?.phase !== 'halted') {
    return [{ level: 'error', message: `halted: ${now.halt ?? 'a safety rule stopped it'}` }]
  }
  if (now.phase !== 'in-sync') return []
  const sent = now.applied.remote - (before?.counted?.remote ?? 0)
  const received = now.applied.local - (before?.counted?.local ?? 0)
  const changes = [sent > 0 ? `${sent} sent` : '', received > 0 ? `${received} received` : ''].filter(Boolean)
  if (changes.length === 0 && before?.counted !== undefined) return []
  const held = now.entries.local === 1 ? '1 entry' : `${now.entries.local} entries`
  const what = changes.length === 0 ? held : changes.join(', ')
  return [{ level: 'info', message: `in sync (${what})` }]
}

function problems(before: SessionStatus | undefined, now: SessionStatus): readonly Line[] {
  const located = (status: SessionStatus | undefined) =>
    status?.problems.map(({ path, side, message }) => ({ path, message: `${message} (${side})` }))
  return news('problem', located(before), located(now) ?? [])
}

interface Item {
  readonly path: string
  readonly message: string
}

/** At most this many are told one by one. */
const most = 10

function news(kind: string, before: readonly Item[] = [], now: readonly Item[]): readonly Line[] {
  const known = new Set(before.map(({ path, message }) => `${path}\0${message}`))
  const fresh = now.filter(({ path, message }) => !known.has(`${path}\0${message}`))
  const sorted = fresh.toSorted((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path)))
  const lines = sorted.slice(0, most).map(({ path, message }) => `${kind} at ${path || '.'}: ${message}`)
  const left = fresh.length - most
  if (left > 0) lines.push(`${left} more ${kind}${left === 1 ? '' : 's'}`)
  return lines.map((message) => ({ level: 'warn', message }))
}
