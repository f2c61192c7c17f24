import { EventEmitter, once } from 'node:events'
import type { LogOptions } from './streams.ts'

/** More is not kept; what was said first is forgotten first. */
const maxBytes = 4 << 20
/** What a record costs beside its text. */
const recordBytes = 128
/** A line that is longer is kept in parts. */
const maxLine = 16 << 10
const newline = 0x0a

/** A line with its end, or a part of one. */
interface Said {
  readonly time: Date
  readonly text: Buffer
}

/** What one attempt of a container said. */
export class ContainerLog {
  /** Emits `change` for what was written and for the end. */
  readonly #events = new EventEmitter().setMaxListeners(0)
  readonly #said: Said[] = []
  #forgotten = 0
  #bytes = 0
  #ended = false
  readonly #begun = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }

  write(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    if (this.#ended) return
    let rest = Buffer.concat([this.#begun[stream], chunk])
    for (let length = recordIn(rest); length > 0; length = recordIn(rest)) {
      this.#keep(rest.subarray(0, length))
      rest = rest.subarray(length)
    }
    this.#begun[stream] = rest
    this.#events.emit('change')
  }

  end(): void {
    for (const text of Object.values(this.#begun)) if (text.length > 0) this.#keep(text)
    this.#ended = true
    this.#events.emit('change')
  }

  /** The text, in pieces, as `pods/log` asks for it; with `follow` until the container ends or the signal comes. */
  async *read(options: Omit<LogOptions, 'container' | 'previous'>, signal?: AbortSignal) {
    const { follow, timestamps, limitBytes = Number.POSITIVE_INFINITY } = options
    const { tailLines = this.#said.length, sinceTime, sinceSeconds } = options
    const since = sinceTime?.getTime() ?? Date.now() - (sinceSeconds ?? Number.POSITIVE_INFINITY) * 1000
    let next = this.#forgotten + Math.max(0, this.#said.length - tailLines)
    let atStart = true
    for (let given = 0; given < limitBytes && signal?.aborted !== true; ) {
      next = Math.max(next, this.#forgotten)
      const { time, text } = this.#said[next - this.#forgotten] ?? {}
      if (time !== undefined && text !== undefined) {
        next += 1
        if (time.getTime() < since) continue
        const head = timestamps && atStart ? `${time.toISOString().replace('Z', '000000Z')} ` : ''
        const piece = Buffer.concat([Buffer.from(head), text]).subarray(0, limitBytes - given)
        atStart = text.at(-1) === newline
        given += piece.length
        yield piece
      } else if (this.#ended || !follow) return
      // Nothing can be written between the look and this, so no change is missed.
      else await once(this.#events, 'change', { signal }).catch(() => undefined)
    }
  }

  #keep(text: Buffer): void {
    this.#said.push({ time: new Date(), text })
    this.#bytes += text.length + recordBytes
    while (this.#bytes > maxBytes) {
      this.#bytes -= (this.#said.shift()?.text.length ?? 0) + recordBytes
      this.#forgotten += 1
    }
  }
}

/** The length of the first line in what was said, or of a part of a long one; 0 if there is none yet. */
function recordIn(bytes: Buffer): number {
  const end = bytes.indexOf(newline) + 1
  if (end > 0 && end <= maxLine) return end
  return bytes.length >= maxLine ? maxLine : 0
}
