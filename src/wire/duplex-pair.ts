import { Duplex } from 'node:stream'

export interface PairOptions {
  /** Cuts what is written into the chunks that arrive; as it is written unless given. */
  readonly cut?: (bytes: Buffer) => Buffer[]
  readonly highWaterMark?: number
}

/** Two ends of a connection in memory: what is written to one is read from the other, with back-pressure. */
export function duplexPair(options: PairOptions = {}): [Duplex, Duplex] {
  const a = new End(options)
  const b = new End(options)
  a.other = b
  b.other = a
  return [a, b]
}

class End extends Duplex {
  other: End | undefined
  private readonly cut: (bytes: Buffer) => Buffer[]
  private resumeOther: (() => void) | undefined

  constructor({ cut = (bytes) => [bytes], highWaterMark = 64 * 1024 }: PairOptions) {
    super({ highWaterMark })
    this.cut = cut
  }

  override _read(): void {
    const resume = this.resumeOther
    this.resumeOther = undefined
    resume?.()
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.pass([chunk], done)
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.pass(
      chunks.map(({ chunk }) => chunk),
      done,
    )
  }

  override _final(done: () => void): void {
    this.other?.push(null)
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { other } = this
    // As a cable that is cut: the other end sees its stream close.
    process.nextTick(() => other?.destroy())
    done(error)
  }

  private pass(chunks: Buffer[], done: () => void): void {
    const { other } = this
    let more = true
    for (const chunk of chunks) for (const piece of this.cut(chunk)) more = other?.push(piece) ?? true
    if (more || !other) done()
    else other.resumeOther = done
  }
}
