import { commitSafely } from './aftermath.ts'
import { agreedBy, carriedOut } from './base/intents.ts'
import type { BaseStore } from './base/store.ts'
import type { Replica } from './replica/replica.ts'

export interface Unanswered {
  readonly base: BaseStore
  readonly local: Replica
  readonly remote: Replica
  /** Whether the session has ended: then the base is another one's. */
  readonly isOver: () => boolean
}

/**
 * Learns what became of files that were sent when a stream was cut or a process died: those that arrived are agreed on, so
 * that what the other side did since is told from a conflict, and a deletion from something new.
 */
export async function learnUnanswered({ base, local, remote, isOver }: Unanswered): Promise<void> {
  if (base.intents.length === 0) return
  const replicas = { local, remote }
  const deeds = carriedOut(base.intents, { local: local.tree, remote: remote.tree })
  for (const side of ['local', 'remote'] as const) {
    const written = deeds.filter((deed) => deed.side === side)
    if (written.length === 0) continue
    const digests = await replicas[side].hash(written.map(({ request }) => request))
    if (isOver()) return
    const updates = written.flatMap((deed, index) => {
      const digest = digests[index]
      return digest === undefined ? [] : [agreedBy(deed, digest)]
    })
    commitSafely(base, updates)
  }
  base.forgetIntents()
}
