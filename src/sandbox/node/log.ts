import { EventEmitter, once } from 'node:events'
import { closeSync, openSync, readFileSync, readSync, renameSync, writeSync } from 'node:fs'
import type { LogOptions } from './streams.ts'

/** A log that is larger is put aside, and what follows goes to a new one. */
const maxBytes = 10 << 20
/** A line that is longer is told in parts. */
const maxLine = 16 << 10
const chunkBytes = 64 << 10
const newline = 0x0a
/** Where a record has its tag and its text: times are of one length, and so are the names of the streams. */
const tagAt = 38
const textAt = 40

/**
 * What one attempt of a container said, a line a record as the container runtime interface has it:
 * `TIME stdout|stderr F|P TEXT`, P for a line that goes on in the next record. It is written at once, so that nothing
 * waits in memory.
 * Source: https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
 */
export class ContainerLog {
  readonly path: string
  /** Emits `change` for what was written and for the end. */
  readonly #events = new EventEmitter().setMaxListeners(0)
  /** How many files were put aside. */
  #turns = 0
  #ended = false
  #fd: number
  #size = 0
  readonly #parts = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }

  constructor(path: string) {
    this.path = path
    this.#fd = openSync(path, 'a')
  }

  write(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    if (this.#ended) return
    let rest = Buffer.concat([this.#parts[stream], chunk])
    for (;;) {
      const end = rest.indexOf(newline)
      const whole = end >= 0 && end <= maxLine
      if (!whole && rest.length <= maxLine) break
      this.#record(stream, whole ? 'F' : 'P', rest.subarray(0, whole ? end : maxLine))
      rest = rest.subarray(whole ? end + 1 : maxLine)
    }
    this.#parts[stream] = rest
    this.#events.emit('change')
  }

  end(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      if (this.#parts[stream].length > 0) this.#record(stream, 'P', this.#parts[stream])
    }
    closeSync(this.#fd)
    this.#ended = true
    this.#events.emit('change')
  }

  /** The text, in pieces, as `pods/log` asks for it; with `follow` until the container ends or the signal comes. */
  async *read(options: Omit<LogOptions, 'container' | 'previous'>, signal?: AbortSignal) {
    const { sinceSeconds, sinceTime, timestamps, limitBytes = Number.POSITIVE_INFINITY } = options
    const since = sinceTime?.getTime() ?? Date.now() - (sinceSeconds ?? Number.POSITIVE_INFINITY) * 1000
    let left = limitBytes
    let atStart = true
    for await (const record of this.#records(options, signal)) {
      const time = record.toString('latin1', 0, record.indexOf(' '))
      if (Date.parse(time) < since) continue
      const partial = record.toString('latin1', tagAt, tagAt + 1) === 'P'
      const pieces = [timestamps && atStart ? `${time} ` : '', record.subarray(textAt), partial ? '' : '\n']
      const said = Buffer.concat(pieces.map((piece) => Buffer.from(piece))).subarray(0, left)
      atStart = !partial
      left -= said.length
      yield said
      if (left <= 0) return
    }
  }

  async *#records(
    { follow, tailLines }: { follow: boolean; tailLines?: number | undefined },
    signal?: AbortSignal,
  ) {
    let turn = this.#turns
    let fd = openSync(this.path, 'r')
    try {
      let position = tailLines === undefined ? 0 : tailOf(readFileSync(fd), tailLines)
      let rest: Buffer = Buffer.alloc(0)
      while (signal?.aborted !== true) {
        const chunk = Buffer.allocUnsafe(chunkBytes)
        const bytes = readSync(fd, chunk, 0, chunkBytes, position)
        position += bytes
        if (bytes > 0) rest = yield* lines(Buffer.concat([rest, chunk.subarray(0, bytes)]))
        else if (turn !== this.#turns) {
          closeSync(fd)
          fd = openSync(this.path, 'r')
          turn = this.#turns
          position = 0
        } else if (this.#ended || !follow) return
        // Nothing can be written between the read and this, so no change is missed.
        else await once(this.#events, 'change', { signal }).catch(() => undefined)
      }
    } finally {
      closeSync(fd)
    }
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
    this.#turns += 1
  }
}

/** Gives whole lines, and returns what is left after them. */
function* lines(bytes: Buffer): Generator<Buffer, Buffer> {
  let start = 0
  for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
    yield bytes.subarray(start, end)
    start = end + 1
  }
  return bytes.subarray(start)
}

/** Where the last lines of a file begin. */
function tailOf(file: Buffer, count: number): number {
  let start = file.length
  for (let left = count; left > 0 && start > 0; left -= 1) start = file.lastIndexOf(newline, start - 2) + 1
  return start
}
