import { bytesOf } from './batch.ts'
import type { Lane } from './lane.ts'
import type { Operation } from './operation.ts'
import type { Side } from './side.ts'
import type { SessionStatus } from './status.ts'

/** Counts operations and bytes, planned and done. */
export class Progress {
  /** Carried out since the session started. */
  readonly applied: Record<Side, number> = { local: 0, remote: 0 }
  private transfer = { done: 0, total: 0, bytesDone: 0, bytesTotal: 0 }

  get current(): NonNullable<SessionStatus['progress']> {
    return { ...this.transfer }
  }

  planned(lane: Lane): void {
    this.transfer.total += lane.operations
    this.transfer.bytesTotal += lane.bytes
  }

  /** An operation came to an end, whichever. */
  finished(side: Side, operation: Operation, isDone: boolean): void {
    this.transfer.done++
    this.transfer.bytesDone += bytesOf(operation)
    if (isDone) this.applied[side]++
  }

  /** Everything planned has come to an end. */
  reset(): void {
    this.transfer = { done: 0, total: 0, bytesDone: 0, bytesTotal: 0 }
  }
}
