import { describeReload } from '../daemon/describe-reload.ts'
import type { BoundSessionStatus } from '../daemon/status.ts'
import { count, printable } from '../ui/text.ts'
import type { SpecView } from './get-rows.ts'
import { formatTime } from './time.ts'

/**
 * What the table has no room for, a line each: why a spec waits or fails, why a session is halted, conflicts and
 * problems. Of the latter two at most `most` for each session.
 */
export function describeNotes(views: readonly SpecView[], most: number): string[] {
  return views
    .flatMap((view) => [
      ...(view.message === undefined ? [] : [`${view.name}: ${view.message}`]),
      ...view.sessions.flatMap((bound) => {
        const name = view.sessions.length > 1 ? `${view.name}, ${bound.pod}` : view.name
        const own = sessionNotes(bound, most).filter((note) => note !== view.message)
        return own.map((note) => `${name}: ${note}`)
      }),
    ])
    .map(printable)
}

function sessionNotes({ session, message, reload }: BoundSessionStatus, most: number): string[] {
  const halted = session?.phase === 'halted'
  const notes = [message, halted ? `halted: ${session.halt}` : undefined]
  // That a root is missing is why it is halted: once is enough.
  const problems = session?.problems.filter(({ path }) => !halted || path !== '') ?? []
  const troubles = session === undefined ? [] : describeTroubles({ ...session, problems })
  const left = troubles.length - most
  return [
    ...notes.filter((note) => note !== undefined),
    ...troubles.slice(0, most),
    ...(left > 0
      ? [`and ${count(left, 'more conflict or problem', 'more conflicts and problems')}; -o wide lists all`]
      : []),
    ...(reload === undefined ? [] : [`${formatTime(Date.parse(reload.at))}: ${describeReload(reload)}`]),
  ]
}

type Troubled = Pick<NonNullable<BoundSessionStatus['session']>, 'conflicts' | 'problems'>

/** Conflicts and problems, a line each, sorted by path. */
export function describeTroubles({ conflicts, problems }: Troubled): string[] {
  return [
    ...conflicts.toSorted(byPath).map(({ path, message }) => `conflict at ${path || '.'}: ${message}`),
    ...problems
      .toSorted(byPath)
      .map(({ path, side, message }) => `problem at ${path || '.'} (${side}): ${message}`),
  ]
}

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : Number(a.path > b.path)
}
