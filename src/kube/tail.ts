import { Readable } from 'node:stream'

/**
 * A Readable that takes whatever it is given and never asks its source to wait: when nobody reads, it keeps
 * the last `limit` bytes and forgets what came before.
 */
export class Tail extends Readable {
  readonly #limit: number
  readonly #chunks: Buffer[] = []
  #bytes = 0
  #wanted = false
  #ended = false

  constructor(limit: number) {
    super({ highWaterMark: 0 })
    this.#limit = limit
  }

  add(chunk: Buffer): void {
    if (chunk.length === 0 || this.destroyed) return
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    while (this.#bytes > this.#limit) this.#bytes -= this.#chunks.shift()?.length ?? 0
    this.#flow()
  }

  end(): void {
    this.#ended = true
    this.#flow()
  }

  override _read(): void {
    this.#wanted = true
    this.#flow()
  }

  #flow(): void {
    while (this.#wanted) {
      const chunk = this.#chunks.shift()
      if (chunk === undefined) break
      this.#bytes -= chunk.length
      this.#wanted = this.push(chunk)
    }
    if (this.#ended && this.#chunks.length === 0 && this.#wanted) this.push(null)
  }
}
