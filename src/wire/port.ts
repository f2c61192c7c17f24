import { Duplex } from 'node:stream'
import type { MessagePort } from 'node:worker_threads'
import { WireError } from './error.ts'
import { ReceiveWindow } from './window.ts'

/** Bytes that the writer may be ahead of the reader in the other thread, give or take one write. */
const WINDOW = 1024 * 1024
const BUFFER = 64 * 1024

type Callback = (error?: Error | null) => void
/** What goes over a port: bytes, credit for so many more, the end (null), or why the stream was destroyed. */
type Signal = ArrayBufferLike | number | null | string

/**
 * A byte stream to another thread over a MessagePort, with credit as back-pressure. Bytes are copied once, into memory
 * that is handed over. `end()` closes one direction; `destroy(error)` fails the other end with the message; a port that
 * closes before the end of what it carries, because its thread is gone, is an error.
 */
export function portDuplex(port: MessagePort): Duplex {
  return new PortDuplex(port)
}

class PortDuplex extends Duplex {
  private readonly port: MessagePort
  private credit = WINDOW
  private readonly window = new ReceiveWindow(WINDOW)
  private ended = false
  private written: Callback | undefined

  constructor(port: MessagePort) {
    super({ allowHalfOpen: true, highWaterMark: BUFFER })
    this.port = port
    port.on('message', (signal: unknown) => this.receive(signal))
    port.on('messageerror', (error) => this.destroy(error))
    port.on('close', () => {
      if (!this.ended || !this.writableFinished) this.destroy(new Error('the other thread is gone'))
    })
  }

  override read(size?: number): unknown {
    const chunk: unknown = super.read(size)
    this.account()
    return chunk
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, written: Callback): void {
    this.post([chunk], chunk.length, written)
  }

  override _writev(chunks: readonly { chunk: Buffer }[], written: Callback): void {
    const all = chunks.map(({ chunk }) => chunk)
    const size = all.reduce((sum, chunk) => sum + chunk.length, 0)
    this.post(all, size, written)
  }

  override _final(ended: Callback): void {
    this.signal(null)
    ended()
  }

  override _destroy(error: Error | null, done: Callback): void {
    if (!this.ended || !this.writableFinished) this.signal(error?.message ?? 'closed')
    this.port.close()
    const { written } = this
    this.written = undefined
    done(error)
    written?.(error ?? new Error('the stream was closed'))
  }

  private post(chunks: readonly Buffer[], size: number, written: Callback): void {
    // All of it is written to: zeros would be for nothing.
    const bytes = Buffer.allocUnsafeSlow(size)
    let offset = 0
    for (const chunk of chunks) offset += chunk.copy(bytes, offset)
    this.credit -= size
    this.port.postMessage(bytes.buffer satisfies Signal, [bytes.buffer])
    if (this.credit > 0) written()
    else this.written = written
  }

  private signal(signal: Signal): void {
    this.port.postMessage(signal)
  }

  private receive(signal: unknown): void {
    if (signal instanceof ArrayBuffer) this.arrive(Buffer.from(signal))
    else if (typeof signal === 'number') this.grant(signal)
    else if (signal === null) this.finish()
    else if (typeof signal === 'string') this.destroy(new Error(`reset: ${signal}`))
    else this.destroy(new WireError('a message on a port that is not ours'))
  }

  private arrive(bytes: Buffer): void {
    this.window.arrive(bytes.length)
    this.push(bytes)
    this.account()
  }

  private grant(credit: number): void {
    this.credit += credit
    const { written } = this
    if (this.credit <= 0 || written === undefined) return
    this.written = undefined
    written()
  }

  private finish(): void {
    this.ended = true
    this.push(null)
  }

  private account(): void {
    const credit = this.ended || this.destroyed ? 0 : this.window.owed(this.readableLength)
    if (credit === 0) return
    this.window.giveBack(credit)
    this.signal(credit)
  }
}
