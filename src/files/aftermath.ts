import { agreementOn } from './agreement.ts'
import type { BaseUpdate } from './base/base.ts'
import { intentsOf } from './base/intents.ts'
import type { BaseStore } from './base/store.ts'
import { type Volume, volumeOf } from './blockades.ts'
import type { Copies } from './copies.ts'
import { nodeAt, sameStamp } from './delta.ts'
import type { Finished, LaneListener } from './lane.ts'
import { concernsVolume, type Operation, type Outcome, type Problem } from './operation.ts'
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
  readonly copies: Copies
  /** Nothing more is to be sent to a side for now. */
  readonly stop: (side: Side) => void
  readonly onChange: () => void
  readonly onApplied?: OnApplied | undefined
  readonly onAgreed?: (updates: readonly BaseUpdate[]) => void
}

/** Told of each operation that was carried out on a side; what is there now, null after a removal. */
export type OnApplied = (side: Side, operation: Operation, entry: Entry | null) => void

/** What follows from the outcomes of operations: what both sides now hold, and what has to be tried again. */
export class Aftermath implements LaneListener {
  private readonly options: AftermathOptions
  /** Paths to be looked at again. */
  private readonly doubts: Record<Side, Path[]> = { local: [], remote: [] }

  constructor(options: AftermathOptions) {
    this.options = options
  }

  isInVain(path: Path): boolean {
    return this.options.work.setbacks.covers(path)
  }

  begins(side: Side, operations: readonly Operation[]): void {
    this.options.base.intend(intentsOf(side, operations))
  }

  finished(side: Side, all: readonly Finished[]): void {
    const { base, progress, onChange, onAgreed } = this.options
    const updates: BaseUpdate[] = []
    for (const finished of all) {
      progress.finished(side, finished.operation, finished.outcome?.result === 'done')
      const update = this.learn(side, finished)
      if (update !== undefined) updates.push(update)
      this.followUp(side, finished)
    }
    commitSafely(base, updates)
    onAgreed?.(updates)
    this.lookAgain()
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

  private followUp(side: Side, { operation, outcome, last }: Finished): void {
    const { work, copies } = this.options
    const { path } = operation
    if (operation.op === 'put' && operation.original !== undefined) work.letGo(operation.original.path)
    if (outcome !== undefined) copies.finished(operation, outcome.result === 'done')
    if (outcome?.result === 'done') {
      work.succeeded(path)
      this.options.onApplied?.(side, operation, outcome.entry)
      work.blockades.succeeded(this.volumeOf(side, path), operation)
      if (isBitLost(operation, outcome.entry)) work.failed(side, { path, ...BIT_LOST })
      // Until the tree shows it, the path would look as if it had been deleted or changed back.
      if (!this.isShown(side, path, outcome.entry)) this.doubt(side, path)
    } else if (outcome !== undefined) {
      if (outcome.result === 'failed' && concernsVolume(outcome.problem)) this.block(side, outcome.problem)
      this.setBack(side, outcome)
    }
    if (last) work.letGo(path)
  }

  private block(side: Side, problem: Problem): void {
    this.options.work.blockades.refused(this.volumeOf(side, problem.path), problem)
    this.options.stop(side)
  }

  private volumeOf(side: Side, path: Path): Volume {
    return volumeOf(side, this.options.replicas[side].tree, path)
  }

  private setBack(side: Side, outcome: Exclude<Outcome, { result: 'done' }>): void {
    const { work } = this.options
    const { path } = outcome
    // What lies below something that was not carried out is tried again together with that.
    if (work.setbacks.covers(parentOf(path))) return
    if (outcome.result === 'failed' && !isRace(outcome.problem)) work.failed(side, outcome.problem)
    else this.moved(outcome.result === 'source-changed' ? otherSide[side] : side, path)
  }

  /** A path is not on a side what it was thought to be: it is looked at, and then tried again. */
  moved(side: Side, path: Path): void {
    this.options.work.moved(side, path)
    this.doubt(side, path)
  }

  private doubt(side: Side, path: Path): void {
    this.options.work.hold(path)
    this.doubts[side].push(path)
  }

  private isShown(side: Side, path: Path, entry: Entry | null): boolean {
    const shown = nodeAt(this.options.replicas[side].tree, path)?.entry
    if (entry === null || shown === undefined) return entry === null && shown === undefined
    if (entry.kind === 'opaque' || shown.kind === 'opaque') return false
    // A directory has a new time as soon as something is in it.
    return shown.kind === entry.kind && (entry.kind === 'directory' || sameStamp(shown.stamp, entry.stamp))
  }

  /** Has replicas look at what is in doubt, after which their trees are no older than what was done there. */
  lookAgain(): void {
    const { work, replicas, onChange } = this.options
    for (const side of ['local', 'remote'] as const) {
      const paths = this.doubts[side].splice(0)
      if (paths.length === 0) continue
      work.asking++
      const seen = () => {
        work.asking--
        for (const path of paths) {
          work.setbacks.mayRetry(path)
          work.letGo(path)
        }
        onChange()
      }
      // A replica that cannot answer is about to be closed.
      void replicas[side].rescan([...new Set(paths.map(parentOf))]).then(seen, seen)
    }
  }
}

const BIT_LOST = { code: 'MODE_NOT_KEPT', message: 'its filesystem does not keep the executable bit' }

/** Some filesystems take a mode and do not keep it: trying again would never end. */
function isBitLost(operation: Operation, written: Entry | null): boolean {
  return operation.op === 'chmod' && written?.kind === 'file' && written.executable !== operation.executable
}

/** A directory that was there when this was planned is not any more. */
function isRace({ code }: Problem): boolean {
  return code === 'ENOENT' || code === 'ENOTDIR'
}

/**
 * Commits what can be: a replica that tells of a file before its directory makes one update that does not fit,
 * which is left out. What is missing in the base is found equal on both sides later.
 */
export function commitSafely(base: BaseStore, updates: readonly BaseUpdate[]): void {
  try {
    base.commit(updates)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    if (updates.length > 1) for (const update of updates) commitSafely(base, [update])
  }
}
