import type { Writable } from 'node:stream'
import { ByteReader, ByteWriter } from '../../wire/bytes.ts'
import { WireError } from '../../wire/error.ts'
import { writeMessage } from '../../wire/messages.ts'
import { decodeOperations, encodeOperations } from '../codec.ts'
import type { Operation } from '../operation.ts'
import { inMessages } from './protocol.ts'

/** Writes operations to a channel: a message that says how many there are, and messages with them. */
export function writeOperations(channel: Writable, operations: readonly Operation[]): void {
  void writeMessage(channel, new ByteWriter().varint(operations.length).take())
  for (const part of inMessages(operations)) void writeMessage(channel, encodeOperations(part))
}

/** Reads what `writeOperations` wrote; what follows is left. */
export async function readOperations(messages: AsyncIterator<Buffer>): Promise<Operation[]> {
  const reader = new ByteReader(await next(messages))
  const count = reader.varint()
  reader.end()
  const operations: Operation[] = []
  do {
    const part = decodeOperations(await next(messages))
    for (const operation of part) operations.push(operation)
    if (part.length === 0 && operations.length < count) throw new WireError('a message of no operations')
  } while (operations.length < count)
  if (operations.length > count) throw new WireError('more operations than were announced')
  return operations
}

async function next(messages: AsyncIterator<Buffer>): Promise<Buffer> {
  const { done, value } = await messages.next()
  if (done) throw new WireError('operations are missing')
  return value
}
