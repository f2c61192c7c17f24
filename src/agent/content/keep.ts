import type { Duplex } from 'node:stream'
import { type ContentRecord, ContentWriter, decodeRecords } from '../../files/replica/content.ts'
import { WireError } from '../../wire/error.ts'
import { readMessages } from '../../wire/messages.ts'
import type { Ring } from './ring.ts'

/**
 * Keeps content that comes on a channel, and answers with the same content, in which each chunk is replaced by where
 * it is now. Rejects when the channel or the ring fails.
 */
export async function keepContent(channel: Duplex, ring: Ring): Promise<void> {
  const writer = new ContentWriter(channel)
  for await (const message of readMessages(channel)) {
    for (const record of decodeRecords(message)) {
      if (!writer.hasRoom(0)) await writer.flush()
      await keepRecord(writer, ring, record)
    }
    await writer.flush()
  }
  channel.end()
}

async function keepRecord(writer: ContentWriter, ring: Ring, record: ContentRecord): Promise<void> {
  if (record.kind === 'chunk') {
    writer.stored({ at: await ring.append(record.bytes), size: record.bytes.length })
  } else if (record.kind === 'end') writer.end(record.digest)
  else if (record.kind === 'copy') writer.copy(record)
  else if (record.kind === 'key') writer.key(record.key)
  else if (record.kind === 'tag') writer.tag(record.tag)
  else if (record.kind === 'changed') writer.changed()
  else if (record.kind === 'failed') writer.failed(record.problem)
  else throw new WireError('what is to be kept is said to be kept')
}
