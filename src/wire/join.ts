import { Duplex, type Readable, type Writable } from 'node:stream'

/** Bytes buffered in either direction, apart from what the two streams buffer themselves. */
const BUFFER = 64 * 1024

type Callback = (error?: Error | null) => void

export interface Halves {
  readonly input: Readable
  readonly output: Writable
}

/**
 * One duplex of two streams: what is read comes from `input`, what is written goes to `output`. It fails when either
 * fails or the input closes before its end, and takes both along when it is destroyed. That the output closed is an
 * error only when there is something to write: what a process said before it left is still to be read.
 */
export function joinStreams(halves: Halves): Duplex {
  return new Joined(halves)
}

class Joined extends Duplex {
  private readonly input: Readable
  private readonly output: Writable

  constructor({ input, output }: Halves) {
    super({ allowHalfOpen: true, highWaterMark: BUFFER })
    this.input = input
    this.output = output
    input.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) input.pause()
    })
    input.pause()
    input.on('end', () => this.push(null))
    for (const half of [input, output]) half.on('error', (error) => this.destroy(error))
    input.on('close', () => {
      if (!input.readableEnded) this.destroy(new Error('the input closed before its end'))
    })
  }

  override _read(): void {
    this.input.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, written: Callback): void {
    this.output.write(chunk, written)
  }

  override _writev(chunks: readonly { chunk: Buffer }[], written: Callback): void {
    const last = chunks.length - 1
    this.output.cork()
    for (const [i, { chunk }] of chunks.entries()) {
      if (i === last) this.output.write(chunk, written)
      else this.output.write(chunk)
    }
    this.output.uncork()
  }

  override _final(ended: Callback): void {
    this.output.end(ended)
  }

  override _destroy(error: Error | null, done: Callback): void {
    this.input.destroy()
    this.output.destroy()
    done(error)
  }
}
