import { PassThrough } from 'node:stream'
import type { Expectation, Operation, Outcome } from '../../operation.ts'
import type { Path } from '../../tree.ts'
import { ContentWriter } from '../content.ts'
import { digestOf } from '../hash.ts'
import type { ContentSource, Replica } from '../replica.ts'
import { carriedOut } from './served.ts'

export const MTIME = 1_600_000_000_000

/** Content as another replica would send it. */
export function contentOf(...files: (string | Buffer)[]): ContentSource {
  return {
    read() {
      const stream = new PassThrough()
      const writer = new ContentWriter(stream)
      const send = async () => {
        for (const file of files) {
          const bytes = Buffer.from(file)
          for (let at = 0; at < bytes.length; at += 100_000) {
            const part = bytes.subarray(at, at + 100_000)
            if (!writer.hasRoom(part.length)) await writer.flush()
            const chunk = writer.chunk(part.length)
            part.copy(chunk)
            writer.confirm(chunk)
          }
          writer.end(digestOf(bytes))
        }
        await writer.flush()
        stream.end()
      }
      // Whoever reads it hears of what goes wrong.
      send().catch(() => {})
      return stream
    },
  }
}

export function put(
  path: Path,
  content: string | Buffer,
  expect: Expectation = 'absent',
  executable = false,
): Operation {
  const stamp = { mtimeMs: MTIME, ctimeMs: 0, ino: 0, size: content.length, mode: 0o100644 }
  return { op: 'put', path, expect, executable, source: { stamp } }
}

export async function write(
  replica: Replica,
  operation: Operation,
  content: string | Buffer,
): Promise<Outcome> {
  const [outcome] = await carriedOut(replica, [operation], contentOf(content))
  if (outcome === undefined) throw new Error('no outcome')
  return outcome
}

export async function act(replica: Replica, operation: Operation): Promise<Outcome['result'] | undefined> {
  const [outcome] = await carriedOut(replica, [operation])
  return outcome?.result
}
