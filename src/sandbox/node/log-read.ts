import { once } from 'node:events'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { ContainerLog } from './log.ts'
import type { LogOptions } from './streams.ts'

const chunkBytes = 64 << 10
const newline = 0x0a

/** The text of a log, in pieces, as `pods/log` asks for it; with `follow` until the container ends or the signal comes. */
export async function* readLog(
  log: ContainerLog,
  options: LogOptions,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const since = options.sinceTime ?? sinceOf(options.sinceSeconds)
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY
  let atStart = true
  for await (const record of records(log, options, signal)) {
    const { time, partial, text } = parse(record)
    if (since !== undefined && new Date(time) < since) continue
    const head = options.timestamps && atStart ? Buffer.from(`${time} `) : Buffer.alloc(0)
    const said = Buffer.concat([head, text, Buffer.from(partial ? '' : '\n')]).subarray(0, left)
    atStart = !partial
    left -= said.length
    yield said
    if (left <= 0) return
  }
}

/** The last words of a log, for a container that failed without a message of its own. */
export async function lastWords(log: ContainerLog): Promise<string> {
  const options = { container: '', follow: false, previous: false, timestamps: false, tailLines: 80 }
  const said: Buffer[] = []
  for await (const piece of readLog(log, options, new AbortController().signal)) said.push(piece)
  return Buffer.concat(said).subarray(-2048).toString()
}

async function* records(log: ContainerLog, options: LogOptions, signal: AbortSignal): AsyncGenerator<Buffer> {
  let turn = log.turns
  let fd = openSync(log.path, 'r')
  try {
    let position = options.tailLines === undefined ? 0 : tailOf(fd, options.tailLines)
    let rest: Buffer = Buffer.alloc(0)
    while (!signal.aborted) {
      const chunk = Buffer.allocUnsafe(chunkBytes)
      const bytes = readSync(fd, chunk, 0, chunkBytes, position)
      if (bytes > 0) {
        position += bytes
        rest = yield* lines(Buffer.concat([rest, chunk.subarray(0, bytes)]))
      } else if (turn !== log.turns) {
        closeSync(fd)
        fd = openSync(log.path, 'r')
        turn = log.turns
        position = 0
      } else if (log.ended || !options.follow) {
        return
      } else {
        // Nothing can be written between the read and this, so no change is missed.
        await once(log.events, 'change', { signal }).catch(() => undefined)
      }
    }
  } finally {
    closeSync(fd)
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

function parse(record: Buffer): { time: string; partial: boolean; text: Buffer } {
  const [first, second, third] = [0, 1, 2].reduce<number[]>(
    (found) => [...found, record.indexOf(' ', (found.at(-1) ?? -1) + 1)],
    [],
  )
  const time = record.toString('latin1', 0, first)
  return { time, partial: record[(second ?? 0) + 1] === 0x50, text: record.subarray((third ?? 0) + 1) }
}

/** Where the last lines of a file begin. */
function tailOf(fd: number, count: number): number {
  let position = fstatSync(fd).size
  let seen = 0
  while (position > 0) {
    const length = Math.min(chunkBytes, position)
    const chunk = Buffer.alloc(length)
    readSync(fd, chunk, 0, length, position - length)
    for (let at = length - 1; at >= 0; at -= 1) {
      if (chunk[at] !== newline) continue
      if (seen === count) return position - length + at + 1
      seen += 1
    }
    position -= length
  }
  return 0
}

function sinceOf(seconds: number | undefined): Date | undefined {
  return seconds === undefined ? undefined : new Date(Date.now() - seconds * 1000)
}
