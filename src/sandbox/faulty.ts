import { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'

/** What is wrong with the network, as every connection asks it. */
export interface Weather {
  /** Milliseconds that each answer, and each piece of a stream, comes late. */
  readonly latencyMs: number
  /** Settles when bytes travel again; undefined while they do. */
  readonly hole: Promise<void> | undefined
}

/** A connection over which faults can come. It ends with the connection that it stands for. */
export class FaultyConnection extends Duplex {
  readonly #inner: Duplex
  readonly #weather: Weather
  #left = Number.POSITIVE_INFINITY

  constructor(inner: Duplex, weather: Weather) {
    super()
    this.#inner = inner
    this.#weather = weather
    inner.on('data', (chunk: Buffer) => this.#receive(chunk))
    inner.on('end', () => this.push(null))
    inner.on('error', (error) => this.destroy(error))
    inner.on('close', () => this.destroy())
    // Reading begins when somebody reads.
    inner.pause()
  }

  /** Breaks the connection after so many more bytes to the client. */
  cutAfter(bytes: number): void {
    this.#left = bytes
    if (bytes <= 0) this.destroy()
  }

  override _read(): void {
    const { hole } = this.#weather
    if (hole === undefined) this.#inner.resume()
    else void hole.then(() => this.#inner.resume())
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    const { latencyMs, hole } = this.#weather
    if (latencyMs === 0 && hole === undefined) this.#send(chunk, done)
    else void Promise.all([delay(latencyMs), hole]).then(() => this.#send(chunk, done))
  }

  /** What was written meanwhile goes out at once: latency is no limit of throughput. */
  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), '', done)
  }

  override _final(done: () => void): void {
    this.#inner.end(done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#inner.destroy()
    done(error)
  }

  #receive(chunk: Buffer): void {
    const { hole } = this.#weather
    if (hole === undefined) {
      if (!this.push(chunk)) this.#inner.pause()
      return
    }
    this.#inner.pause()
    void hole.then(() => {
      if (this.push(chunk)) this.#inner.resume()
    })
  }

  #send(chunk: Buffer, done: (error?: Error | null) => void): void {
    if (chunk.length < this.#left) {
      this.#left -= chunk.length
      this.#inner.write(chunk, done)
    } else {
      this.#inner.write(chunk.subarray(0, this.#left), () => this.destroy())
    }
  }
}
