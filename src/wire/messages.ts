/** Messages on a byte stream: each is its length in bytes (u32, little-endian) and then the bytes. */
import type { Readable, Writable } from 'node:stream'
import { MessageBuffer, PREFIX } from './message-buffer.ts'

/** The largest message, in bytes, that is read unless a caller says otherwise. */
const DEFAULT_LIMIT = 64 * 1024 * 1024
/** Up to this size a copy is cheaper than a second write. */
const COPIED = 4096
const DONE = Promise.resolve()
/** One promise a stream, or every message written meanwhile would add its listeners. */
const draining = new WeakMap<Writable, Promise<void>>()

/**
 * Writes a message whole, at once. Resolves when the stream wants more; rejects when it failed or was closed. Who does
 * not care for back-pressure need not await it: then the stream's own 'error' tells of a failure.
 */
export function writeMessage(stream: Writable, message: Uint8Array): Promise<void> {
  if (!stream.writable) return handled(Promise.reject(reasonOf(stream)))
  const head = Buffer.allocUnsafe(message.length <= COPIED ? PREFIX + message.length : PREFIX)
  head.writeUInt32LE(message.length)
  if (message.length <= COPIED) {
    head.set(message, PREFIX)
    return stream.write(head) ? DONE : drained(stream)
  }
  stream.cork()
  stream.write(head)
  const more = stream.write(message)
  stream.uncork()
  return more ? DONE : drained(stream)
}

/**
 * The messages of a stream up to its end. Throws what the stream fails with, and WireError (destroying the stream) for
 * a message over `limit` bytes or cut short. Ending the iteration early leaves the stream open, with every byte that
 * was not returned put back: the next reader goes on from there.
 */
export async function* readMessages(
  stream: Readable,
  limit: number = DEFAULT_LIMIT,
): AsyncGenerator<Buffer, void, void> {
  const buffer = new MessageBuffer(limit)
  const source = chunksOf(stream)
  try {
    for (let chunk = await source.next(); chunk !== undefined; chunk = await source.next()) {
      buffer.add(chunk)
      const message = buffer.next()
      if (message === undefined) continue
      // Before the caller can leave, and while the stream has not ended: later it could not be put back.
      const rest = buffer.rest()
      if (rest.length > 0) stream.unshift(rest)
      yield message
    }
    buffer.end()
  } catch (error) {
    // Thrown here, it needs no other listener.
    stream.once('error', () => {}).destroy(asError(error))
    throw error
  } finally {
    source.stop()
  }
}

/**
 * Calls back for each message in the same turn of the event loop in which its last byte arrived, which saves the
 * promises of `readMessages`. What the listener throws, a message over `limit` bytes or one cut short destroys the
 * stream with that error; 'end', 'error' and 'close' are the caller's to listen to.
 */
export function onMessage(
  stream: Readable,
  listener: (message: Buffer) => void,
  limit: number = DEFAULT_LIMIT,
): void {
  const buffer = new MessageBuffer(limit)
  function attempt(action: () => void): void {
    try {
      action()
    } catch (error) {
      stream.destroy(asError(error))
    }
  }
  stream.on('data', (chunk: Buffer) => {
    attempt(() => {
      buffer.add(chunk)
      for (let message = buffer.next(); message !== undefined; message = buffer.next()) {
        listener(message)
        if (stream.destroyed) return
      }
    })
  })
  stream.once('end', () => attempt(() => buffer.end()))
}

/** Pulls chunks without destroying the stream at the end, as `for await` over a stream would. */
function chunksOf(stream: Readable): { next(): Promise<Buffer | undefined>; stop(): void } {
  const events = ['readable', 'end', 'error', 'close']
  let wake = () => {}
  const listener = () => wake()
  for (const event of events) stream.on(event, listener)
  return {
    async next() {
      for (;;) {
        if (stream.errored) throw stream.errored
        if (stream.readableEnded) return undefined
        if (stream.destroyed) throw reasonOf(stream)
        const chunk: Buffer | null = stream.read()
        if (chunk !== null) return chunk
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
    stop() {
      for (const event of events) stream.off(event, listener)
    },
  }
}

function drained(stream: Writable): Promise<void> {
  const known = draining.get(stream)
  if (known !== undefined) return known
  const promise = new Promise<void>((resolve, reject) => {
    const settle = () => {
      for (const event of ['drain', 'close']) stream.off(event, settle)
      draining.delete(stream)
      if (stream.destroyed || stream.errored) reject(reasonOf(stream))
      else resolve()
    }
    for (const event of ['drain', 'close']) stream.on(event, settle)
  })
  draining.set(stream, promise)
  return handled(promise)
}

/** Keeps a rejection that nobody awaits from ending the process. */
function handled(promise: Promise<void>): Promise<void> {
  promise.catch(() => {})
  return promise
}

function reasonOf(stream: Readable | Writable): Error {
  return stream.errored ?? new Error('the stream is closed')
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
