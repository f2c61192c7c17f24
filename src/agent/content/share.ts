import type { Operation, Outcome } from '../../files/operation.ts'
import { withApply } from '../../files/replica/on-behalf.ts'
import type { ContentSource, Origin, Replica } from '../../files/replica/replica.ts'
import type { Depot } from './depot.ts'
import { readShared } from './read-shared.ts'
import { type Member, Told } from './told.ts'

/**
 * Opens a replica that takes content from its node's store where others on the node need the same. It never waits for
 * another: what it is too slow for is overwritten, and sent to it alone.
 */
export async function withDepot(depot: Depot, open: () => Promise<Replica>): Promise<Replica> {
  depot.members++
  const leave = () => {
    depot.members--
  }
  const replica = await open().catch((error) => {
    leave()
    throw error
  })
  void replica.closed.then(leave)
  const member: Member = { depot, alone: new Set(), ahead: 0, waiting: [] }
  return withApply(replica, (operations, source, origin) =>
    depot.members > 1 && depot.window > 0 && !depot.isBroken
      ? applyShared({ replica, member, source }, operations, origin)
      : replica.apply(operations, source, origin),
  )
}

interface Applied {
  readonly replica: Replica
  readonly member: Member
  readonly source: ContentSource
}

async function* applyShared(
  { replica, member, source }: Applied,
  operations: readonly Operation[],
  origin: Origin | undefined,
): AsyncGenerator<readonly Outcome[], void, void> {
  const told = new Told(member)
  const shared: ContentSource = {
    read: (requests) => readShared({ member, source, told }, requests),
    taken: (bytes) => told.taken(bytes),
  }
  try {
    for await (const outcomes of replica.apply(operations, shared, origin)) {
      for (const { path, result } of outcomes) {
        const isFailed = result === 'source-changed' || result === 'stale'
        if (!isFailed || !told.paths.has(path)) continue
        member.depot.forget(path)
        member.alone.add(path)
      }
      yield outcomes
    }
  } finally {
    told.end()
  }
}
