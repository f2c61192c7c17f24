import { KubesyncError } from '../errors.ts'
import { readMessages } from '../wire/messages.ts'
import { nodeAt } from './delta.ts'
import { ContentReader } from './replica/content.ts'
import type { Replica } from './replica/replica.ts'
import type { Path } from './tree.ts'

/** The content of a file of a replica. Rejects with NO_SUCH_FILE, TOO_LARGE (above `limit` bytes) or UNREADABLE. */
export async function fetchFile(replica: Replica, path: Path, limit: number): Promise<Buffer> {
  const entry = nodeAt(replica.tree, path)?.entry
  if (entry?.kind !== 'file')
    throw new KubesyncError('NO_SUCH_FILE', `there is no file ${path} in the container`)
  const { stamp } = entry
  if (stamp.size > limit) throw new KubesyncError('TOO_LARGE', `${path} has ${stamp.size} bytes there`)
  const stream = replica.read([{ path, stamp }])
  try {
    const content = new ContentReader(readMessages(stream))
    const chunks: Buffer[] = []
    for (;;) {
      const part = await content.next()
      if (part.kind === 'end') return Buffer.concat(chunks)
      if (part.kind !== 'chunk')
        throw unreadable(path, part.kind === 'failed' ? part.problem.message : 'it changed')
      chunks.push(part.bytes)
    }
  } finally {
    stream.destroy()
  }
}

function unreadable(path: Path, reason: string): KubesyncError {
  return new KubesyncError('UNREADABLE', `${path} could not be read in the container: ${reason}`)
}
