import { Duplex, type Readable } from 'node:stream'
import { KubesyncError } from '../errors.ts'
import { type ExecExit, parseExecStatus } from './exec-status.ts'
import { type ExecTransport, STATUS, STDERR, STDOUT } from './exec-transport.ts'
import { startHeartbeat } from './heartbeat.ts'
import { Tail } from './tail.ts'

/** Of stdin, gathered while the connection is busy. */
const WRITE_AHEAD_BYTES = 1 << 20
const READ_AHEAD_BYTES = 512 << 10
const STDERR_BYTES = 256 << 10
const PING_MS = 10_000
const SILENCE_MS = 40_000
/** After the command's status, a server that does not close the connection is not waited for longer. */
const LINGER_MS = 2_000

/**
 * A running command: writes go to its stdin, reads come from its stdout, with back-pressure both ways. `end()`
 * closes its stdin if `canEndStdin`. What is written after the command ended is dropped. A stream that is
 * cut is destroyed with the error `STREAM_CUT`; one that was closed, or whose command ended however, is
 * not in error.
 *
 * A server that is sent more than a command read before it ended may reset the connection before the exit
 * code is out: that is a cut, too.
 */
export class ExecStream extends Duplex {
  /** Keeps the last 256 KiB while nobody reads it; never holds back stdout. */
  readonly stderr: Readable
  /** How it ended; never rejects. */
  readonly exit: Promise<ExecExit>
  /** Only a server that speaks version 4 of the WebSocket protocol, and no other, cannot. */
  readonly canEndStdin: boolean

  readonly #transport: ExecTransport
  readonly #stderr = new Tail(STDERR_BYTES)
  readonly #heartbeat
  #resolveExit: (exit: ExecExit) => void = () => undefined
  #statusText = ''
  #status: ExecExit | undefined
  #linger: NodeJS.Timeout | undefined
  #over = false
  #gathered: Buffer = Buffer.alloc(0)

  constructor(transport: ExecTransport) {
    super({ readableHighWaterMark: READ_AHEAD_BYTES, writableHighWaterMark: WRITE_AHEAD_BYTES })
    this.#transport = transport
    this.stderr = this.#stderr
    this.canEndStdin = transport.canEndStdin
    this.exit = new Promise((resolve) => {
      this.#resolveExit = resolve
    })
    this.#heartbeat = startHeartbeat({
      ping: () => transport.ping(),
      deaf: () => transport.isPaused,
      onSilence: (ms) => this.#end(cut(`nothing came for ${ms / 1000} s`)),
      intervalMs: PING_MS,
      limitMs: SILENCE_MS,
    })
    transport.listen({
      onData: (channel, data) => this.#receive(channel, data),
      onAlive: () => this.#heartbeat.alive(),
      onClose: (reason) => this.#end(this.#status ?? cut(reason)),
    })
  }

  override _read(): void {
    if (this.#transport.isPaused) this.#transport.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#send(chunk, done)
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.#send(this.#gather(chunks), done)
  }

  override _final(done: () => void): void {
    if (this.canEndStdin && !this.#over) this.#transport.endStdin()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#end(this.#status ?? { kind: 'closed' })
    done(error)
  }

  #receive(channel: number, data: Buffer): void {
    if (this.#over) return
    this.#heartbeat.alive()
    this.#linger?.refresh()
    switch (channel) {
      case STDOUT:
        if (data.length > 0 && !this.push(data)) this.#transport.pause()
        break
      case STDERR:
        this.#stderr.add(data)
        break
      case STATUS:
        this.#statusText += data.toString('utf8')
        this.#status = parseExecStatus(this.#statusText)
        this.#linger ??= setInterval(() => this.#lingered(), LINGER_MS)
        break
    }
  }

  #lingered(): void {
    if (!this.#transport.isPaused) this.#transport.terminate()
  }

  #end(exit: ExecExit): void {
    if (this.#over) return
    this.#over = true
    this.#heartbeat.stop()
    clearInterval(this.#linger)
    this.#transport.terminate()
    this.#stderr.end()
    this.#resolveExit(exit)
    if (exit.kind === 'cut')
      this.destroy(new KubesyncError('STREAM_CUT', `The stream was cut: ${exit.message}.`))
    else this.push(null)
  }

  /** In the same memory each time: a write begins when the one before is done. */
  #gather(chunks: readonly { chunk: Buffer }[]): Buffer {
    const size = chunks.reduce((sum, { chunk }) => sum + chunk.length, 0)
    if (size > this.#gathered.length) this.#gathered = Buffer.allocUnsafeSlow(size)
    let offset = 0
    for (const { chunk } of chunks) offset += chunk.copy(this.#gathered, offset)
    return this.#gathered.subarray(0, size)
  }

  /** Sends piece by piece: what is encrypted at once should fit into the processor's cache. */
  #send(data: Buffer, done: () => void): void {
    if (this.#over || data.length === 0) {
      done()
      return
    }
    const { pieceBytes } = this.#transport
    const rest = data.subarray(pieceBytes)
    this.#transport.send(data.subarray(0, pieceBytes), () => this.#send(rest, done))
  }
}

function cut(message: string): ExecExit {
  return { kind: 'cut', message }
}
