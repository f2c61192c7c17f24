import { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'

/** What a connection is used for at the moment. */
export const uses = ['watch', 'exec', 'port-forward', 'log', 'request'] as const
export type Use = (typeof uses)[number]

/** What is wrong with the network, as every connection asks it. */
export interface Weather {
  /** Milliseconds that each answer, and each piece of a stream, comes late. */
  latencyMs: number
  /** Settles when bytes travel again; undefined while they do. */
  hole: Promise<void> | undefined
  /** After how many bytes of answer each new stream of a use breaks. */
  readonly limits: Map<Use | 'all', number>
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
    inner.on('end', () => this.push(null))
    inner.on('error', (error) => this.destroy(error))
    inner.on('close', () => this.destroy())
  }

  /** Breaks the connection after so many more bytes to the client. */
  cutAfter(bytes: number): void {
    this.#left = bytes
    if (bytes <= 0) this.destroy()
  }

  override async _read(): Promise<void> {
    await this.#weather.hole
    const chunk: Buffer | null = this.#inner.read()
    if (chunk === null) this.#inner.once('readable', () => this._read())
    else this.push(chunk)
  }

  override async _write(chunk: Buffer, _: string, done: (error?: Error | null) => void): Promise<void> {
    const { latencyMs, hole } = this.#weather
    if (latencyMs > 0) await delay(latencyMs)
    await hole
    if (chunk.length >= this.#left) {
      this.#inner.write(chunk.subarray(0, this.#left), () => this.destroy())
      return
    }
    this.#left -= chunk.length
    this.#inner.write(chunk, done)
  }

  /** What was written meanwhile goes out at once: latency is no limit of throughput. */
  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    void this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), '', done)
  }

  override _final(done: () => void): void {
    this.#inner.end(done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#inner.destroy()
    done(error)
  }
}
