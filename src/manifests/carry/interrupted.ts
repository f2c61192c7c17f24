import type { JournalEntry } from '../journal/journal.ts'
import type { Session } from '../session.ts'

/** A change of files and cluster of which nobody knows how far it came: the process ended, or the connection did. */
export interface Interrupted {
  readonly operation: string
  readonly command: string
  /** ISO 8601. */
  readonly at: string
  readonly entries: readonly JournalEntry[]
}

/** Where an interrupted change is to lead: to what it was to make, or back to what was there. */
export type Ending = 'finish' | 'undo'

/** Whether there may be an interrupted change at all: one look at the disk. */
export function mayBeInterrupted({ journal }: Pick<Session, 'journal'>): boolean {
  return journal.underWay.list().length > 0
}

/** The changes below this folder that were begun and never ended, oldest first. One that is under way now is waited for. */
export async function findInterrupted(session: Session): Promise<Interrupted[]> {
  return session.exclusively(async () => {
    const { server } = session.cluster
    const all = (await session.journal.read()).filter((entry) => entry.isOneStep && entry.server === server)
    const open = new Set(all.filter(({ outcome }) => outcome === 'begun').map(({ operation }) => operation))
    for (const operation of session.journal.underWay.list()) {
      if (!all.some((entry) => entry.operation === operation)) continue
      if (!open.has(operation)) session.journal.underWay.close(operation)
    }
    return [...open].flatMap((operation): Interrupted[] => {
      const entries = all.filter((entry) => entry.operation === operation)
      const [first] = entries
      const isHere = entries.every(({ file }) => file === session.root || file.startsWith(`${session.root}/`))
      return first === undefined || !isHere
        ? []
        : [{ operation, command: first.command, at: first.at, entries }]
    })
  })
}

/** Records that a change has come to an end after all. */
export async function endInterrupted(
  session: Session,
  { entries, operation }: Interrupted,
  reason: string,
): Promise<void> {
  const open = entries.filter(({ outcome }) => outcome === 'begun')
  await session.journal.end(open.map(({ id }) => ({ id, reason })))
  session.journal.underWay.close(operation)
}
