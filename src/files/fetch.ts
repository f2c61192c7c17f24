import { KubesyncError } from '../errors.ts'
import { readMessages } from '../wire/messages.ts'
import { nodeAt } from './delta.ts'
import { ContentReader } from './replica/content.ts'
import type { ReadRequest, Replica } from './replica/replica.ts'
import type { Path } from './tree.ts'

/** The content of a file of a replica. Rejects with NO_SUCH_FILE, TOO_LARGE (above `limit` bytes) or UNREADABLE. */
export async function fetchFile(replica: Replica, path: Path, limit: number): Promise<Buffer> {
  const entry = nodeAt(replica.tree, path)?.entry
  if (entry?.kind !== 'file')
    throw new KubesyncError('NO_SUCH_FILE', `there is no file ${path} in the container`)
  const { stamp } = entry
  if (stamp.size > limit) throw new KubesyncError('TOO_LARGE', `${path} has ${stamp.size} bytes there`)
  for await (const content of readAll(replica, [{ path, stamp }])) {
    if (Buffer.isBuffer(content)) return content
    throw new KubesyncError('UNREADABLE', `${path} could not be read in the container: ${content}`)
  }
  throw new KubesyncError('UNREADABLE', `${path} could not be read in the container`)
}

/** The content of each of these files, in their order, or why there is none: a clause. */
export async function* readAll(
  replica: Replica,
  requests: readonly ReadRequest[],
): AsyncGenerator<Buffer | string> {
  if (requests.length === 0) return
  const stream = replica.read(requests)
  try {
    const content = new ContentReader(readMessages(stream))
    for (const _ of requests) yield await nextFile(content)
  } finally {
    stream.destroy()
  }
}

async function nextFile(content: ContentReader): Promise<Buffer | string> {
  const chunks: Buffer[] = []
  for (;;) {
    const part = await content.next()
    if (part.kind === 'end') return Buffer.concat(chunks)
    if (part.kind === 'chunk') chunks.push(part.bytes)
    else return part.kind === 'failed' ? part.problem.message : 'it changed'
  }
}
