import { PassThrough, Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WireError } from './error.ts'
import { onMessage, readMessages, writeMessage } from './messages.ts'

const text = (...texts: string[]) => texts.map((each) => Buffer.from(each))

function framed(messages: readonly Uint8Array[]): Buffer {
  const parts = messages.flatMap((message) => {
    const prefix = Buffer.alloc(4)
    prefix.writeUInt32LE(message.length)
    return [prefix, message]
  })
  return Buffer.concat(parts)
}

/** A stream that delivers the bytes in chunks of the given sizes, over and over. */
function chunked(bytes: Buffer, sizes: readonly number[]): Readable {
  function* chunks() {
    for (let offset = 0, i = 0; offset < bytes.length; i++) {
      const size = sizes[i % sizes.length] ?? 1
      yield bytes.subarray(offset, offset + size)
      offset += size
    }
  }
  return Readable.from(chunks(), { objectMode: false })
}

async function collect(stream: Readable, limit?: number): Promise<Buffer[]> {
  const messages = []
  for await (const message of readMessages(stream, limit)) messages.push(message)
  return messages
}

function collectByCallback(stream: Readable): Promise<Buffer[]> {
  const messages: Buffer[] = []
  return new Promise((resolve, reject) => {
    stream.on('error', reject).on('close', () => resolve(messages))
    onMessage(stream, (message) => messages.push(message))
  })
}

const anyMessages = fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 12 })
const anyChunks = fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1, maxLength: 8 })

describe('messages', () => {
  test('arrive whole and in order however the stream is cut', async () => {
    await fc.assert(
      fc.asyncProperty(anyMessages, anyChunks, async (messages, sizes) => {
        const expected = messages.map((message) => Buffer.from(message))
        expect(await collect(chunked(framed(messages), sizes))).toEqual(expected)
        expect(await collectByCallback(chunked(framed(messages), sizes))).toEqual(expected)
      }),
    )
  })

  test('cut short, a stream is an error', async () => {
    await fc.assert(
      fc.asyncProperty(anyMessages, anyChunks, fc.nat(), async (messages, sizes, at) => {
        const whole = framed([...messages, Buffer.from('last')])
        const cut = whole.subarray(0, whole.length - 1 - (at % 7))
        await expect(collect(chunked(cut, sizes))).rejects.toThrow('ended in the middle')
        await expect(collectByCallback(chunked(cut, sizes))).rejects.toThrow('ended in the middle')
      }),
    )
  })

  test('written with writeMessage are what the other end reads, small and large', async () => {
    const stream = new PassThrough()
    const messages = [...text('', 'small'), Buffer.alloc(20_000, 'x')]
    for (const message of messages) void writeMessage(stream, message)
    stream.end()
    expect(await collect(stream)).toEqual(messages)
  })

  test('over the limit end in a WireError, before they have arrived', async () => {
    const stream = new PassThrough()
    stream.write(Buffer.from([0xff, 0xff, 0xff, 0x7f]))
    await expect(collect(stream, 1000)).rejects.toThrow(WireError)
    expect(stream.destroyed).toBe(true)
  })

  test('reading can stop after one message and go on elsewhere, with nothing lost', async () => {
    await fc.assert(
      fc.asyncProperty(anyMessages, anyChunks, async (messages, sizes) => {
        const stream = chunked(framed([...text('first'), ...messages]), sizes)
        for await (const message of readMessages(stream)) {
          expect(message.toString()).toBe('first')
          break
        }
        // Even when the source has long ended.
        await new Promise(setImmediate)
        expect(await collect(stream)).toEqual(messages.map((message) => Buffer.from(message)))
      }),
    )
  })

  test('reading to the end leaves the writable half of a duplex open', async () => {
    const stream = new PassThrough({ allowHalfOpen: true, autoDestroy: false })
    stream.end(framed(text('only')))
    expect(await collect(stream)).toEqual(text('only'))
    expect(stream.destroyed).toBe(false)
  })

  test('a failing stream fails the iteration with its own error', async () => {
    const stream = new PassThrough()
    const messages = collect(stream)
    stream.destroy(new Error('cable cut'))
    await expect(messages).rejects.toThrow('cable cut')
  })

  test('a listener that throws destroys the stream with what it threw', async () => {
    const stream = new PassThrough()
    const failed = new Promise((resolve) => stream.on('error', resolve))
    const seen: string[] = []
    onMessage(stream, (message) => {
      seen.push(message.toString())
      throw new WireError('no such request')
    })
    stream.write(framed(text('bad', 'never seen')))
    expect(await failed).toEqual(new WireError('no such request'))
    expect(seen).toEqual(['bad'])
  })
})

describe('writeMessage', () => {
  test('resolves at once while the stream wants more, and else when it does', async () => {
    const stream = new PassThrough({ highWaterMark: 1000 })
    await writeMessage(stream, Buffer.alloc(10))
    let resolved = false
    const second = writeMessage(stream, Buffer.alloc(5000)).then(() => {
      resolved = true
    })
    await new Promise(setImmediate)
    expect(resolved).toBe(false)
    stream.resume()
    await second
  })

  test('any number may wait at once', async () => {
    const stream = new PassThrough({ highWaterMark: 1 })
    const warnings: Error[] = []
    const listener = (warning: Error) => warnings.push(warning)
    process.on('warning', listener)
    const writes = Array.from({ length: 50 }, (_, i) => writeMessage(stream, Buffer.from([i])))
    stream.resume()
    await Promise.all(writes)
    await new Promise(setImmediate)
    process.off('warning', listener)
    expect(warnings).toEqual([])
  })

  test('rejects when the stream fails while it waits, and when it is closed already', async () => {
    const stream = new PassThrough({ highWaterMark: 1 })
    stream.on('error', () => {})
    const waiting = writeMessage(stream, Buffer.alloc(10))
    stream.destroy(new Error('cable cut'))
    await expect(waiting).rejects.toThrow('cable cut')
    await expect(writeMessage(stream, Buffer.alloc(1))).rejects.toThrow('cable cut')
  })
})
