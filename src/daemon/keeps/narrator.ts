import type { KeepConflict, KeepStatus } from '../../manifests/keep/status.ts'
import type { LogEvent } from '../world.ts'

type Line = Pick<LogEvent, 'level' | 'message'>

/** Turns the statuses of a kept folder into the lines of a log: each event once. */
export function newKeepNarrator(log: (line: Line) => void): { status(now: KeepStatus): void } {
  let before: KeepStatus | undefined
  return {
    status(now) {
      for (const line of describeKeep(before, now)) log(line)
      before = now
    },
  }
}

/** What a person wants to know of the way from one status to the next. Pure. */
export function describeKeep(before: KeepStatus | undefined, now: KeepStatus): readonly Line[] {
  return [
    ...writes(before, now),
    // That many are gone is why it halts, and told as that.
    ...fresh(before?.conflicts, now.conflicts, ({ id }) => id)
      .filter(({ kind }) => kind !== 'many-deleted')
      .map(asked),
    ...hint(before, now),
    ...fresh(before?.left, now.left, (one) => JSON.stringify(one)).map(
      ({ resource, field, reason }): Line => ({
        level: 'info',
        message: `${resource}: ${field} is left alone: ${reason}`,
      }),
    ),
    ...fresh(before?.problems, now.problems, (one) => JSON.stringify(one)).map(
      ({ about, reason }): Line => ({ level: 'warn', message: `${about}: ${reason}` }),
    ),
    ...fresh(now.problems, before?.problems ?? [], ({ about }) => about).map(
      ({ about }): Line => ({ level: 'info', message: `${about}: that is over` }),
    ),
    ...state(before, now),
  ]
}

function writes(before: KeepStatus | undefined, { writes, lastWrites }: KeepStatus): readonly Line[] {
  const told = before?.writes ?? { files: 0, cluster: 0 }
  const amount = writes.files + writes.cluster - told.files - told.cluster
  if (amount <= 0) return []
  const lines = lastWrites.slice(-amount).map(({ resource, file, what, where }): Line => {
    const side = where === 'file' ? 'in the file' : 'in the cluster'
    return { level: 'info', message: `${resource} (${file}): ${what} ${side}` }
  })
  const untold = amount - lines.length
  return untold === 0
    ? lines
    : [{ level: 'info', message: untold === 1 ? '1 more write' : `${untold} more writes` }, ...lines]
}

function asked({ resource, file, field, local, remote, why }: KeepConflict): Line {
  const place = file === '' ? resource : `${resource} (${file})`
  const values = field === '' ? '' : `${field}: here ${short(local)}, in the cluster ${short(remote)}: `
  return { level: 'warn', message: `${place}: ${values}${why}` }
}

/** How to answer the first questions; who had some knows. */
function hint(before: KeepStatus | undefined, now: KeepStatus): readonly Line[] {
  if (now.conflicts.length === 0 || (before?.conflicts.length ?? 0) > 0) return []
  return [{ level: 'info', message: '`ksync resolve` asks about each' }]
}

function state(before: KeepStatus | undefined, now: KeepStatus): readonly Line[] {
  if (before?.state === now.state && before.reason === now.reason) return []
  switch (now.state) {
    case 'starting':
      return []
    case 'away':
      return [{ level: 'warn', message: now.reason }]
    case 'halted':
    case 'stopped':
      return [{ level: now.reason === '' ? 'info' : 'error', message: words(now.state, now.reason) }]
    default:
      return wasIn(before) ? [] : [{ level: 'info', message: `in step (${amount(now.objects)})` }]
  }
}

/** Whether it was told that it is in step, and nothing else since. */
function wasIn(before: KeepStatus | undefined): boolean {
  return before?.state === 'in-step' || before?.state === 'waiting'
}

function words(state: string, reason: string): string {
  return reason === '' ? state : `${state}: ${reason}`
}

function amount(objects: number): string {
  return objects === 1 ? '1 object' : `${objects} objects`
}

/** A value on a line: its first line, not too long. */
function short(value: string | undefined): string {
  const [first = '', ...more] = (value ?? 'nothing').trim().split('\n')
  return more.length > 0 || first.length > 60 ? `${first.slice(0, 59)}…` : first
}

function fresh<T>(before: readonly T[] = [], now: readonly T[], key: (one: T) => string): readonly T[] {
  const known = new Set(before.map(key))
  return now.filter((one) => !known.has(key(one)))
}
