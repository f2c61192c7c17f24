import { messageOf } from '../errors.ts'
import type { Batch } from './batch.ts'
import { batchesOf, bytesOf } from './batch.ts'
import type { Operation, Outcome } from './operation.ts'
import type { Replica } from './replica/replica.ts'
import type { Side } from './side.ts'
import { otherSide } from './side.ts'
import type { Path } from './tree.ts'

/** An operation and what became of it; without an outcome it was never sent. */
export interface Finished {
  readonly operation: Operation
  readonly outcome: Outcome | undefined
  /** Whether nothing else is to be done at its path. */
  readonly last: boolean
}

export interface LaneListener {
  /** These are about to be sent. */
  begins(side: Side, operations: readonly Operation[]): void
  finished(side: Side, finished: readonly Finished[]): void
  /** Whether an operation is in vain since one that it depends on was not carried out. */
  isInVain(path: Path): boolean
}

/** Above this much a lane is bulk, which may not take all lanes. */
const BULK_BYTES = 8 * 1024 * 1024
const BULK_OPERATIONS = 500

/** One side's part of a plan on its way: batch after batch, so that what depends on another comes after it. */
export class Lane {
  readonly side: Side
  readonly isBulk: boolean
  readonly operations: number
  readonly bytes: number
  private readonly batches: readonly Batch[]
  /** What is not finished yet, by path: where a directory replaces a file, there are two. */
  private readonly left = new Map<Path, Operation[]>()
  private readonly listener: LaneListener
  private readonly cancelled: Promise<'cancelled'>
  private isCancelled = false
  private wake: (value: 'cancelled') => void = () => {}

  constructor(side: Side, operations: readonly Operation[], listener: LaneListener) {
    this.side = side
    this.listener = listener
    this.batches = batchesOf(operations)
    this.operations = operations.length
    this.bytes = operations.reduce((sum, operation) => sum + bytesOf(operation), 0)
    this.isBulk = this.bytes > BULK_BYTES || operations.length > BULK_OPERATIONS
    for (const operation of operations) {
      const others = this.left.get(operation.path)
      if (others === undefined) this.left.set(operation.path, [operation])
      else others.push(operation)
    }
    this.cancelled = new Promise((resolve) => {
      this.wake = resolve
    })
  }

  /** The paths that are locked while it runs. */
  get paths(): Iterable<Path> {
    return this.left.keys()
  }

  /** Carries everything out; never rejects. Every operation is told of once. */
  async run(replicas: Readonly<Record<Side, Replica>>): Promise<void> {
    for (const { operations } of this.batches) {
      const inVain = new Set(
        operations.filter(({ path }) => this.isCancelled || this.listener.isInVain(path)),
      )
      this.tell([...inVain].map((operation) => this.finish(operation, undefined)))
      const rest = operations.filter((operation) => !inVain.has(operation))
      if (rest.length > 0) await this.carryOut(rest, replicas)
    }
  }

  /** Sends nothing any more, and asks the replica to leave what it has not done yet. */
  cancel(): void {
    this.isCancelled = true
    this.wake('cancelled')
  }

  private async carryOut(
    operations: readonly Operation[],
    replicas: Readonly<Record<Side, Replica>>,
  ): Promise<void> {
    const source = replicas[otherSide[this.side]]
    let trouble = 'the replica said nothing of it'
    this.listener.begins(this.side, operations)
    try {
      const outcomes = replicas[this.side].apply(operations, source)[Symbol.asyncIterator]()
      for (;;) {
        const next = await Promise.race([outcomes.next(), this.cancelled])
        if (next === 'cancelled') {
          // Whoever waits for its last answer may wait for ever.
          outcomes.return?.().catch(() => {})
          break
        }
        if (next.done === true) break
        this.tell(next.value.flatMap((outcome) => this.match(outcome)))
        // What they are told may make them cancel it.
        if (this.isCancelled) {
          outcomes.return?.().catch(() => {})
          break
        }
      }
    } catch (error) {
      trouble = messageOf(error)
    }
    this.tell(operations.flatMap((operation) => this.abandon(operation, trouble)))
  }

  /** The operation an outcome belongs to: of two at one path, the removal leaves nothing behind. */
  private match(outcome: Outcome): Finished[] {
    const operations = this.left.get(outcome.path) ?? []
    const isRemoval = outcome.result === 'done' && outcome.entry === null
    const fits = operations.find(({ op }) => outcome.result !== 'done' || (op === 'remove') === isRemoval)
    return fits === undefined ? [] : [this.finish(fits, outcome)]
  }

  private abandon(operation: Operation, message: string): Finished[] {
    if (!this.left.get(operation.path)?.includes(operation)) return []
    if (this.isCancelled) return [this.finish(operation, undefined)]
    const { path } = operation
    return [
      this.finish(operation, { result: 'failed', path, problem: { path, code: 'UNANSWERED', message } }),
    ]
  }

  private finish(operation: Operation, outcome: Outcome | undefined): Finished {
    const { path } = operation
    const others = (this.left.get(path) ?? []).filter((one) => one !== operation)
    if (others.length === 0) this.left.delete(path)
    else this.left.set(path, others)
    return { operation, outcome, last: others.length === 0 }
  }

  private tell(finished: readonly Finished[]): void {
    if (finished.length > 0) this.listener.finished(this.side, finished)
  }
}
