import { PassThrough, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ContentWriter } from '../../files/replica/content.ts'
import type { ContentSource, ReadRequest } from '../../files/replica/replica.ts'
import type { Item, Piece } from './depot.ts'
import type { Member, Told } from './told.ts'

export interface Reading {
  readonly member: Member
  readonly source: ContentSource
  readonly told: Told
}

/** The content of files as one replica is told of it: where it is, or where that cannot be, the content itself. */
export function readShared(reading: Reading, requests: readonly ReadRequest[]): Readable {
  const out = new PassThrough()
  write(reading, requests, out).catch((error) => out.destroy(error))
  return out
}

async function write(reading: Reading, requests: readonly ReadRequest[], out: PassThrough): Promise<void> {
  const { member, source, told } = reading
  for (const part of partsOf(member, requests)) {
    if (part.isAlone || member.depot.isBroken) {
      await pipeline(source.read(part.requests), out, { end: false })
      continue
    }
    const { window } = member.depot
    while (member.ahead >= window && !told.isOver) {
      await new Promise<void>((go) => member.waiting.push(go))
    }
    if (told.isOver) return
    await writeItems(member.depot.find(part.requests, source), { part, source, told, out })
  }
  out.end()
}

interface Part {
  readonly isAlone: boolean
  readonly requests: ReadRequest[]
  bytes: number
}

/** Files that go the same way, in order, and not too many bytes at once. */
function partsOf({ depot, alone }: Member, requests: readonly ReadRequest[]): Part[] {
  const parts: Part[] = []
  for (const request of requests) {
    const { size } = request.stamp
    const isAlone = alone.delete(request.path) || size > depot.window
    const last = parts.at(-1)
    if (last?.isAlone !== isAlone || (!isAlone && last.bytes + size > depot.window / 4)) {
      parts.push({ isAlone, requests: [request], bytes: size })
    } else {
      last.requests.push(request)
      last.bytes += size
    }
  }
  return parts
}

/** Bytes of the records of a file, unless it is cut into very small pieces. */
const MAX_RECORDS = 8192

interface Writing {
  readonly part: Part
  readonly source: ContentSource
  readonly told: Told
  readonly out: PassThrough
}

async function writeItems(items: readonly Item[], { part, source, told, out }: Writing): Promise<void> {
  const writer = new ContentWriter(out)
  for (const [index, request] of part.requests.entries()) {
    const item = items[index]
    if (item?.kept === undefined) {
      // What is there already can be taken meanwhile.
      await writer.flush()
      await item?.ready
    }
    if (!writer.hasRoom(MAX_RECORDS)) await writer.flush()
    const kept = item?.kept
    if (kept !== undefined && kept.result !== 'lost') {
      if (kept.result === 'stored' && (request.digest ?? kept.digest) === kept.digest) {
        told.add(request.path, kept.pieces)
        writePieces(writer, kept.pieces)
        writer.end(kept.digest)
      } else if (kept.result === 'failed') writer.failed(kept.problem)
      else writer.changed()
    } else {
      await writer.flush()
      await pipeline(source.read([request]), out, { end: false })
    }
  }
  await writer.flush()
}

function writePieces(writer: ContentWriter, pieces: readonly Piece[]): void {
  for (const piece of pieces) {
    if (piece.kind === 'stored') writer.stored(piece)
    else if (piece.kind === 'copy') writer.copy(piece)
    else if (piece.kind === 'key') writer.key(piece.key)
    else writer.tag(piece.tag)
  }
}
