import { blockSizeFor, type Signature } from '../blocks/signature.ts'
import type { Operation, Outcome } from '../operation.ts'
import type { Path } from '../tree.ts'
import { MIN_RESUMED } from './partial.ts'
import type { ReadRequest, SignRequest } from './replica.ts'

/** Below this many bytes a round trip and the search for blocks take longer than to send a file as it is. */
const MIN_SIGNED = 256 * 1024

type Put = Extract<Operation, { op: 'put' }>

/** Finds out, before content is asked for, what its receiver has of it. */
export class Signing {
  private readonly ask: (file: SignRequest) => Promise<Signature>
  /** Where what was put together was not what was sent: the whole is sent next time. */
  private readonly failed = new Set<Path>()
  private readonly used = new Set<Path>()

  constructor(ask: (file: SignRequest) => Promise<Signature>) {
    this.ask = ask
  }

  /** What to ask the source for, so that the operations can be carried out. */
  async requestsFor(operations: readonly Operation[]): Promise<ReadRequest[]> {
    const puts = operations.filter((operation) => operation.op === 'put' && operation.original === undefined)
    return Promise.all(puts.flatMap((put) => (put.op === 'put' ? [this.requestFor(put)] : [])))
  }

  learn(outcomes: readonly Outcome[]): void {
    for (const { path, result } of outcomes) {
      if (result === 'done') this.failed.delete(path)
      else if (result === 'stale' && this.used.has(path)) this.failed.add(path)
      this.used.delete(path)
    }
  }

  private async requestFor({ path, source, expect }: Put): Promise<ReadRequest> {
    const plain = { path, ...source }
    const { size } = source.stamp
    const old: Pick<SignRequest, 'old'> =
      expect !== 'absent' && Math.min(expect.size, size) >= MIN_SIGNED ? { old: expect } : {}
    if ((old.old === undefined && size < MIN_RESUMED) || this.failed.has(path)) return plain
    const blockSize = blockSizeFor(size)
    const { old: oldSums, staged } = await this.ask({ path, blockSize, ...old })
    // Whoever says that there is more may only want to see us keep it.
    const signature: Signature = {
      blockSize,
      old: oldSums.subarray(0, (old.old?.size ?? 0) / blockSize),
      staged: staged.subarray(0, size / blockSize),
    }
    if (signature.old.length + signature.staged.length === 0) return plain
    this.used.add(path)
    return { ...plain, signature }
  }
}
