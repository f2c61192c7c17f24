import { WireError } from '../../wire/error.ts'
import type { Operation, Outcome } from '../operation.ts'

/** One call of a replica's `apply`, as its caller sees it: batches of outcomes, to be waited for. */
export class ApplyRun {
  private readonly operations: readonly Operation[]
  private batches: (readonly Outcome[])[] = []
  private received = 0
  private isFinished = false
  private error: Error | undefined
  /** Why there is no more content. */
  private sourceReason: string | undefined
  private wake = () => {}

  constructor(operations: readonly Operation[]) {
    this.operations = operations
  }

  get isOver(): boolean {
    return this.isFinished || this.error !== undefined
  }

  /** Outcomes have the order of the operations. Throws WireError if these cannot be theirs. */
  add(outcomes: readonly Outcome[]): void {
    for (const { path } of outcomes) {
      if (this.operations[this.received++]?.path !== path) throw new WireError('an outcome of no operation')
    }
    this.push(outcomes)
  }

  sourceFailed(reason: string): void {
    this.sourceReason = reason
  }

  /** No outcome follows: what has none was not carried out. */
  finish(reason: string): void {
    this.isFinished = true
    const code = this.sourceReason === undefined ? 'NOT_CARRIED_OUT' : 'SOURCE_LOST'
    const message = `was not written: ${this.sourceReason ?? reason}`
    this.push(
      this.operations
        .slice(this.received)
        .map(({ path }): Outcome => ({ result: 'failed', path, problem: { path, code, message } })),
    )
  }

  /** The replica is gone. */
  fail(error: Error): void {
    this.error ??= error
    this.wake()
  }

  /** Throws once the replica is gone. */
  async *outcomes(): AsyncGenerator<readonly Outcome[], void, void> {
    for (;;) {
      const { batches } = this
      this.batches = []
      for (const batch of batches) if (batch.length > 0) yield batch
      if (this.batches.length > 0) continue
      if (this.error !== undefined) throw this.error
      if (this.isFinished) return
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }

  private push(outcomes: readonly Outcome[]): void {
    this.batches.push(outcomes)
    this.wake()
  }
}
