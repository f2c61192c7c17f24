import type { Operation } from './operation.ts'

/** Operations that are handed to a replica together; what they did is committed as it is told. */
export interface Batch {
  readonly operations: readonly Operation[]
  /** Of content. */
  readonly bytes: number
}

/** A batch begins when the one before has ended, and both ends wait meanwhile: few trees need a second one. */
const MAX_OPERATIONS = 65_536
const MAX_BYTES = 256 * 1024 * 1024
/** A file from this size on goes after everything that is smaller. */
const LARGE = 8 * 1024 * 1024

/** Splits a side's operations without changing what depends on what: nothing depends on a file. */
export function batchesOf(operations: readonly Operation[]): Batch[] {
  const isLarge = (operation: Operation) => bytesOf(operation) >= LARGE
  const large = operations.filter(isLarge)
  const ordered = large.length === 0 ? operations : [...operations.filter((one) => !isLarge(one)), ...large]
  const batches: Batch[] = []
  let batch: Operation[] = []
  let bytes = 0
  for (const operation of ordered) {
    const size = bytesOf(operation)
    if (batch.length > 0 && (batch.length >= MAX_OPERATIONS || bytes + size > MAX_BYTES)) {
      batches.push({ operations: batch, bytes })
      batch = []
      bytes = 0
    }
    batch.push(operation)
    bytes += size
  }
  if (batch.length > 0) batches.push({ operations: batch, bytes })
  return batches
}

/** Bytes of content that an operation moves. */
export function bytesOf(operation: Operation): number {
  return operation.op === 'put' ? operation.source.stamp.size : 0
}
