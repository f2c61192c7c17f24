import { EventEmitter } from 'node:events'
import { closeSync, openSync, renameSync, writeSync } from 'node:fs'

/** A log that is larger is put aside, and what follows goes to a new one. */
const maxBytes = 10 << 20
/** A line that is longer is told in parts. */
const maxLine = 16 << 10
const newline = 0x0a

/**
 * What one attempt of a container said, a line a record as the container runtime interface has it:
 * `TIME stdout|stderr F|P TEXT`, P for a line that goes on in the next record. It is written at once, so that nothing
 * waits in memory.
 * Source: https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
 */
export class ContainerLog {
  readonly path: string
  /** Emits `change` for what was written and for the end. */
  readonly events = new EventEmitter().setMaxListeners(0)
  /** How many files were put aside. */
  turns = 0
  ended = false
  #fd: number
  #size = 0
  readonly #parts = { stdout: [] as Buffer[], stderr: [] as Buffer[] }

  constructor(path: string) {
    this.path = path
    this.#fd = openSync(path, 'a')
  }

  write(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    if (this.ended) return
    let rest = Buffer.concat([...this.#parts[stream], chunk])
    for (;;) {
      const end = rest.indexOf(newline)
      if (end >= 0 && end <= maxLine) this.#record(stream, 'F', rest.subarray(0, end))
      else if (rest.length > maxLine) this.#record(stream, 'P', rest.subarray(0, maxLine))
      else break
      rest = rest.subarray(end >= 0 && end <= maxLine ? end + 1 : maxLine)
    }
    this.#parts[stream] = rest.length === 0 ? [] : [rest]
    this.events.emit('change')
  }

  end(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      for (const part of this.#parts[stream]) this.#record(stream, 'P', part)
    }
    closeSync(this.#fd)
    this.ended = true
    this.events.emit('change')
  }

  #record(stream: string, tag: 'F' | 'P', text: Buffer): void {
    const head = Buffer.from(`${new Date().toISOString().replace('Z', '000000Z')} ${stream} ${tag} `)
    try {
      this.#size += writeSync(this.#fd, Buffer.concat([head, text, Buffer.of(newline)]))
      if (this.#size > maxBytes) this.#turn()
    } catch {
      // A full disk loses logs, not containers.
    }
  }

  #turn(): void {
    closeSync(this.#fd)
    renameSync(this.path, `${this.path}.1`)
    this.#fd = openSync(this.path, 'a')
    this.#size = 0
    this.turns += 1
  }
}
