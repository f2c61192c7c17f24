import { Duplex, type Readable } from 'node:stream'
import type { WebSocket } from 'ws'
import { KubesyncError, messageOf } from '../errors.ts'
import { type ExecExit, parseExecStatus } from './exec-status.ts'
import { startHeartbeat } from './heartbeat.ts'
import { Tail } from './tail.ts'

const STDIN = 0
const STDOUT = 1
const STDERR = 2
const STATUS = 3
/** v5 only: `[255, channel]` closes a channel. */
const CLOSE = 255

/** Bytes a frame: the server reads a frame whole before it passes it on. */
const FRAME_BYTES = 256 << 10
/** Bytes handed to the socket and not yet taken by the kernel, beyond which a writer waits. */
const IN_FLIGHT_BYTES = 1 << 20
const READ_AHEAD_BYTES = 512 << 10
const STDERR_BYTES = 256 << 10
const PING_MS = 10_000
const SILENCE_MS = 40_000
/** After the command's status, a server that does not close the stream is not waited for longer. */
const LINGER_MS = 5_000

/**
 * A running command: writes go to its stdin, reads come from its stdout, with back-pressure both ways. `end()`
 * closes its stdin where the server speaks v5; with v4 that cannot be done, and the command must be told
 * otherwise. What is written after the command ended is dropped. A cut stream is destroyed with the
 * error `STREAM_CUT`; a stream that was closed or whose command ended is not in error.
 *
 * Protocol: k8s.io/apimachinery/pkg/util/remotecommand, one WebSocket message = channel byte + data.
 */
export class ExecStream extends Duplex {
  /** Keeps the last 256 KiB while nobody reads it; never holds back stdout. */
  readonly stderr: Readable
  /** How it ended; never rejects. */
  readonly exit: Promise<ExecExit>
  /** Whether `end()` closes the command's stdin. */
  readonly canEndStdin: boolean

  readonly #socket: WebSocket
  readonly #stderr = new Tail(STDERR_BYTES)
  readonly #heartbeat
  #resolveExit: (exit: ExecExit) => void = () => undefined
  #status: ExecExit | undefined
  #linger: NodeJS.Timeout | undefined
  #over = false
  #inFlight = 0
  #waiting: (() => void) | undefined

  constructor(socket: WebSocket) {
    super({ readableHighWaterMark: READ_AHEAD_BYTES, writableHighWaterMark: IN_FLIGHT_BYTES })
    this.#socket = socket
    this.stderr = this.#stderr
    this.canEndStdin = socket.protocol.startsWith('v5')
    this.exit = new Promise((resolve) => {
      this.#resolveExit = resolve
    })
    this.#heartbeat = startHeartbeat({
      ping: () => socket.ping(),
      deaf: () => socket.isPaused,
      onSilence: (ms) => this.#end({ kind: 'cut', message: `nothing came for ${ms / 1000} s` }),
      intervalMs: PING_MS,
      limitMs: SILENCE_MS,
    })
    socket.on('message', (data) => this.#receive(data as Buffer))
    socket.on('pong', () => this.#heartbeat.alive())
    socket.on('error', (error) => this.#end({ kind: 'cut', message: messageOf(error) }))
    socket.on('close', (code, reason) => this.#end(this.#status ?? cutBy(code, reason)))
  }

  override _read(): void {
    if (this.#socket.isPaused) this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#send([chunk], done)
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      done,
    )
  }

  override _final(done: () => void): void {
    if (this.canEndStdin && !this.#over) this.#socket.send(Buffer.of(CLOSE, STDIN), () => done())
    else done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#end({ kind: 'closed' })
    this.#socket.terminate()
    done(error)
  }

  #receive(message: Buffer): void {
    this.#heartbeat.alive()
    this.#linger?.refresh()
    // Servers open with empty messages.
    if (message.length < 2) return
    const data = message.subarray(1)
    switch (message[0]) {
      case STDOUT:
        if (!this.#over && !this.push(data)) this.#socket.pause()
        break
      case STDERR:
        this.#stderr.add(data)
        break
      case STATUS:
        this.#finish(parseExecStatus(data.toString('utf8')))
        break
    }
  }

  /** The command is over; the server closes the stream once everything is out. */
  #finish(status: ExecExit): void {
    this.#status ??= status
    this.#linger ??= setInterval(() => {
      if (!this.#socket.isPaused) this.#socket.terminate()
    }, LINGER_MS)
  }

  #end(exit: ExecExit): void {
    if (this.#over) return
    this.#over = true
    this.#heartbeat.stop()
    clearInterval(this.#linger)
    this.#stderr.end()
    this.#resolveExit(exit)
    this.#release()
    if (exit.kind === 'cut')
      this.destroy(new KubesyncError('STREAM_CUT', `The stream was cut: ${exit.message}.`))
    else this.push(null)
  }

  #send(chunks: readonly Buffer[], done: () => void): void {
    if (this.#over) {
      done()
      return
    }
    for (const frame of framesOf(chunks)) {
      this.#inFlight += frame.length
      this.#socket.send(frame, () => {
        this.#inFlight -= frame.length
        if (this.#inFlight < IN_FLIGHT_BYTES) this.#release()
      })
    }
    if (this.#inFlight < IN_FLIGHT_BYTES) done()
    else this.#waiting = done
  }

  #release(): void {
    const done = this.#waiting
    this.#waiting = undefined
    done?.()
  }
}

function cutBy(code: number, reason: Buffer): ExecExit {
  const why = reason.toString('utf8')
  return { kind: 'cut', message: `the server closed it (${code}${why === '' ? '' : `, ${why}`})` }
}

/** Gathers small chunks into full frames, and cuts large ones. */
function* framesOf(chunks: readonly Buffer[]): Generator<Buffer> {
  let left = chunks.reduce((bytes, chunk) => bytes + chunk.length, 0)
  let frame = newFrame(left)
  let filled = 1
  for (const chunk of chunks) {
    for (let from = 0; from < chunk.length; ) {
      const copied = chunk.copy(frame, filled, from)
      from += copied
      filled += copied
      left -= copied
      if (filled < frame.length || left === 0) continue
      yield frame
      frame = newFrame(left)
      filled = 1
    }
  }
  if (filled > 1) yield frame
}

function newFrame(dataBytes: number): Buffer {
  const frame = Buffer.allocUnsafe(1 + Math.min(dataBytes, FRAME_BYTES))
  frame[0] = STDIN
  return frame
}
