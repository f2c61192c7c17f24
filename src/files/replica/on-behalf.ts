import type { Origin, Replica } from './replica.ts'

/** The same replica, for one session: what it replaces or removes is noted as that session's doing. */
export function onBehalfOf(origin: Origin, replica: Replica): Replica {
  return withApply(replica, (operations, source) => replica.apply(operations, source, origin))
}

/** The same replica, but for the way in which it applies. */
export function withApply(replica: Replica, apply: Replica['apply']): Replica {
  return {
    get info() {
      return replica.info
    },
    get tree() {
      return replica.tree
    },
    get problems() {
      return replica.problems
    },
    get rules() {
      return replica.rules
    },
    closed: replica.closed,
    subscribe: (listener) => replica.subscribe(listener),
    follow: (rules) => replica.follow(rules),
    rescan: (paths) => replica.rescan(paths),
    hash: (requests) => replica.hash(requests),
    time: () => replica.time(),
    read: (requests) => replica.read(requests),
    apply,
    close: () => replica.close(),
  }
}
