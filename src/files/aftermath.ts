import { agreementOn } from './agreement.ts'
import type { BaseUpdate } from './base/base.ts'
import type { BaseStore } from './base/store.ts'
import { nodeAt, sameStamp } from './delta.ts'
import type { Finished, LaneListener } from './lane.ts'
import type { Outcome, Problem } from './operation.ts'
import { parentOf } from './path.ts'
import type { Progress } from './progress.ts'
import type { Replica } from './replica/replica.ts'
import type { Side } from './side.ts'
import { otherSide } from './side.ts'
import type { Entry, Path } from './tree.ts'
import type { Work } from './work.ts'

export interface AftermathOptions {
  readonly replicas: Readonly<Record<Side, Replica>>
  readonly base: BaseStore
  readonly work: Work
  readonly progress: Progress
  readonly onChange: () => void
}

/** Paths to be looked at again on a side, before they are unlocked. */
type Doubts = Record<Side, Path[]>

/** What follows from the outcomes of operations: what both sides now hold, and what has to be tried again. */
export class Aftermath implements LaneListener {
  private readonly options: AftermathOptions

  constructor(options: AftermathOptions) {
    this.options = options
  }

  isInVain(path: Path): boolean {
    return this.options.work.setbacks.covers(path)
  }

  finished(side: Side, all: readonly Finished[]): void {
    const { progress, onChange } = this.options
    const updates: BaseUpdate[] = []
    const doubts: Doubts = { local: [], remote: [] }
    for (const finished of all) {
      progress.finished(side, finished.operation, finished.outcome?.result === 'done')
      const update = this.learn(side, finished)
      if (update !== undefined) updates.push(update)
      this.followUp(side, finished, doubts)
    }
    commitSafely(this.options.base, updates)
    for (const doubted of ['local', 'remote'] as const) this.lookAgain(doubted, doubts[doubted])
    onChange()
  }

  /** What both sides agree on after an operation. */
  private learn(side: Side, { operation, outcome }: Finished): BaseUpdate | undefined {
    if (outcome?.result !== 'done') return undefined
    const { base, replicas } = this.options
    const { path } = operation
    return agreementOn({
      side,
      operation,
      written: outcome.entry,
      base: nodeAt(base.tree, path)?.entry,
      other: nodeAt(replicas[otherSide[side]].tree, path)?.entry,
    })
  }

  private followUp(side: Side, { operation, outcome, last }: Finished, doubts: Doubts): void {
    const { work } = this.options
    const { path } = operation
    if (outcome?.result === 'done') {
      work.setbacks.succeeded(path)
      work.forgetDigests(path)
      // Until the tree shows it, the path would look as if it had been deleted or changed back.
      if (last && !this.isShown(side, path, outcome.entry)) doubts[side].push(path)
      else if (last) work.release(path)
      return
    }
    if (outcome !== undefined) this.setBack(side, outcome, doubts)
    if (last) work.release(path)
  }

  private setBack(side: Side, outcome: Exclude<Outcome, { result: 'done' }>, doubts: Doubts): void {
    const { setbacks } = this.options.work
    const { path } = outcome
    // What lies below something that was not carried out is tried again together with that.
    if (setbacks.covers(parentOf(path))) return
    if (outcome.result === 'failed' && !isRace(outcome.problem)) {
      setbacks.failed(side, outcome.problem)
      return
    }
    const moved = outcome.result === 'source-changed' ? otherSide[side] : side
    setbacks.moved(moved, path)
    doubts[moved].push(path)
  }

  private isShown(side: Side, path: Path, entry: Entry | null): boolean {
    const shown = nodeAt(this.options.replicas[side].tree, path)?.entry
    if (entry === null || shown === undefined) return entry === null && shown === undefined
    if (entry.kind === 'opaque' || shown.kind === 'opaque') return false
    // A directory has a new time as soon as something is in it.
    return shown.kind === entry.kind && (entry.kind === 'directory' || sameStamp(shown.stamp, entry.stamp))
  }

  /** Has a replica look at paths, after which its tree is no older than what was done there. */
  lookAgain(side: Side, paths: readonly Path[]): void {
    if (paths.length === 0) return
    const { work, replicas, onChange } = this.options
    work.asking++
    const seen = () => {
      work.asking--
      for (const path of paths) {
        work.setbacks.mayRetry(path)
        work.release(path)
      }
      onChange()
    }
    // A replica that cannot answer is about to be closed.
    void replicas[side].rescan([...new Set(paths.map(parentOf))]).then(seen, seen)
  }
}

/** A directory that was there when this was planned is not any more. */
function isRace({ code }: Problem): boolean {
  return code === 'ENOENT' || code === 'ENOTDIR'
}

/**
 * Commits what can be: a replica that tells of a file before its directory makes one update that does not fit,
 * which is left out. What is missing in the base is found equal on both sides later.
 */
function commitSafely(base: BaseStore, updates: readonly BaseUpdate[]): void {
  try {
    base.commit(updates)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    if (updates.length > 1) for (const update of updates) commitSafely(base, [update])
  }
}
