import type { BaseUpdate } from './base/base.ts'
import type { Operation } from './operation.ts'
import type { HashRequest } from './replica/replica.ts'
import type { Conflict } from './status.ts'
import type { Path } from './tree.ts'

/** What is to be done so that both sides agree. */
export interface Plan {
  /** What to carry out on each side, in an order in which it can be. */
  readonly local: readonly Operation[]
  readonly remote: readonly Operation[]
  /** What both sides agree on already, so that only the base has to learn it. Parents before children. */
  readonly agreed: readonly BaseUpdate[]
  readonly conflicts: readonly Conflict[]
  /** What has to be found out before anything can be decided about those paths. */
  readonly needs: Needs<readonly HashRequest[], readonly Path[]>
}

/** Digests of files of either side, and how the clocks differ. */
interface Needs<Files, Paths> {
  readonly local: Files
  readonly remote: Files
  readonly clocks: Paths
}

/** A plan in the making. */
export interface Draft extends Plan {
  readonly local: Operation[]
  readonly remote: Operation[]
  readonly agreed: BaseUpdate[]
  readonly conflicts: Conflict[]
  readonly needs: Needs<HashRequest[], Path[]>
}

export function newDraft(): Draft {
  return { local: [], remote: [], agreed: [], conflicts: [], needs: { local: [], remote: [], clocks: [] } }
}
