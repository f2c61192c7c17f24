import type { SessionStatus } from '../files/status.ts'
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

export function newNarrator(label: string, log: (event: Omit<LogEvent, 'spec'>) => void): Narrator {
  let told: Told | undefined
  let seen: SessionStatus | undefined
  let complaint: string | undefined
  let timer: NodeJS.Timeout | undefined

  function tell(): void {
    clearTimeout(timer)
    timer = undefined
    if (seen === undefined) return
    for (const event of describe(told, seen)) log({ ...event, message: `${label}: ${event.message}` })
    told = { ...seen, counted: seen.phase === 'in-sync' ? seen.applied : told?.counted }
  }

  return {
    status(status) {
      seen = status
      if (status.phase === 'in-sync' || status.phase === 'halted') complaint = undefined
      // What a person has to know at once is told at once.
      if (told === undefined || status.phase === 'halted') tell()
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
export function describe(before: Told | undefined, now: SessionStatus): readonly Line[] {
  return [
    ...phase(before, now),
    ...news('conflict', before?.conflicts, now.conflicts),
    ...problems(before, now),
  ]
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
  const what = changes.length === 0 ? `${now.entries.local} entries` : changes.join(', ')
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
  const lines = fresh.slice(0, most).map(({ path, message }) => `${kind} at ${path || '.'}: ${message}`)
  if (fresh.length > most) lines.push(`${fresh.length - most} more ${kind}s`)
  return lines.map((message) => ({ level: 'warn', message }))
}
