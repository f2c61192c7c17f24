import { describeSettling } from '../daemon/settling.ts'
import type { SpecView } from './get-rows.ts'

/** What a person can decide now: how conflicts are settled, and how what is halted goes on. `name` is the program's. */
export function describeHints(views: readonly SpecView[], name: string): string[] {
  const ways = conflictHints(views)
  const more = `; \`${name} conflicts\` shows both versions, and \`${name} resolve PATH --keep local|remote|both\` does it`
  return [...views.flatMap((view) => haltHint(view, name)), ...ways.map((way) => way + more)]
}

/** How the conflicts there are can be settled, each way once. */
export function conflictHints(views: readonly Pick<SpecView, 'mode' | 'sessions'>[]): string[] {
  const ways = views.flatMap(({ mode, sessions }) =>
    sessions
      .filter(({ session }) => session !== undefined && session.conflicts.length > 0)
      .map(({ role }) => describeSettling(role === 'follower' ? 'to-remote-safe' : mode)),
  )
  return [...new Set(ways)].map((way) => `to settle a conflict, ${way}`)
}

function haltHint({ name: spec, sessions }: SpecView, name: string): string[] {
  const halted = sessions.map(({ session }) => session).filter((session) => session?.phase === 'halted')
  if (halted.length === 0) return []
  // Nothing that a person says makes up for a root that is not there.
  if (halted.every((session) => session?.problems.some(({ path }) => path === ''))) {
    return [`${spec} goes on by itself once the folder is back; \`${name} delete ${spec}\` gives it up`]
  }
  return [
    `if that is meant to be, \`${name} resume ${spec}\` goes on, and deletes; if not, delete ${spec} ` +
      'and create it again: then what the other side still has comes back',
  ]
}
