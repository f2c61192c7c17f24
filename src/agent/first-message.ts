import type { Duplex } from 'node:stream'

const limit = 65_536

/**
 * Takes exactly one length-prefixed message (as `writeMessage` writes it) off a stream and leaves what follows
 * in it untouched, for a protocol that begins after a greeting.
 */
export async function readFirstMessage(stream: Duplex): Promise<Buffer> {
  const length = (await take(stream, 4)).readUInt32LE()
  if (length > limit) throw new Error(`a greeting of ${length} bytes`)
  return length === 0 ? Buffer.alloc(0) : take(stream, length)
}

function take(stream: Duplex, bytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const done = (settle: () => void) => {
      stream.off('readable', attempt).off('end', ended).off('close', ended).off('error', failed)
      settle()
    }
    const failed = (error: Error) => done(() => reject(error))
    const ended = () => done(() => reject(new Error('the stream ended before its first message')))
    const attempt = () => {
      const chunk: unknown = stream.read(bytes)
      // At the end of the stream, read() returns what there is, however short.
      if (Buffer.isBuffer(chunk)) done(() => (chunk.length === bytes ? resolve(chunk) : ended()))
    }
    stream.on('readable', attempt).on('end', ended).on('close', ended).on('error', failed)
    attempt()
  })
}
