import { existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, type Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import type { Operation, Outcome } from '../operation.ts'
import type { Path } from '../tree.ts'
import { ContentWriter } from './content.ts'
import { digestOf, newTagKey, Tagging } from './hash.ts'
import { openDirectory } from './open-directory.ts'
import type { ContentSource, Replica } from './replica.ts'
import { isLeftOver, partialName } from './temporary.ts'
import { noise } from './testing/noise.ts'
import { temporaryRoot } from './testing/roots.ts'
import { carriedOut, servedReplica, stampAt } from './testing/served.ts'

const MiB = 1024 * 1024

/** Counts what passes. */
class Counted implements ContentSource {
  bytes = 0
  private readonly source: ContentSource

  constructor(source: ContentSource) {
    this.source = source
  }

  read(requests: Parameters<ContentSource['read']>[0]): Readable {
    const content = this.source.read(requests)
    content.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length
    })
    return content.pause()
  }
}

interface Pair {
  readonly from: string
  readonly to: string
  readonly source: Replica
  readonly target: Replica
}

/** Two folders with one file each. */
async function pair(next: Buffer, old?: Buffer): Promise<Pair> {
  const [from, to] = [temporaryRoot(), temporaryRoot()]
  writeFileSync(join(from, 'f'), next)
  if (old !== undefined) writeFileSync(join(to, 'f'), old)
  return { from, to, source: await servedReplica(from), target: await servedReplica(to) }
}

function update({ source, target }: Pair, path: Path = 'f'): Operation {
  const expect = target.tree?.children?.has(path) ? stampAt(target, path) : 'absent'
  return { op: 'put', path, expect, executable: false, source: { stamp: stampAt(source, path) } }
}

async function sync(two: Pair): Promise<{ outcome: Outcome | undefined; bytes: number }> {
  const counted = new Counted(two.source)
  const [outcome] = await carriedOut(two.target, [update(two)], counted)
  return { outcome, bytes: counted.bytes }
}

describe('a large file that the receiver has in another version', () => {
  test('costs what is new in it', async () => {
    const old = noise(8 * MiB, 'old')
    const next = Buffer.concat([noise(100_000, 'new'), old.subarray(0, 5 * MiB), old.subarray(6 * MiB)])
    const two = await pair(next, old)
    const { outcome, bytes } = await sync(two)
    expect(outcome?.result).toBe('done')
    expect(readFileSync(join(two.to, 'f')).equals(next)).toBe(true)
    expect(bytes).toBeLessThan(125_000)
  })

  test('costs next to nothing when a few blocks of it change in their place', async () => {
    const old = noise(8 * MiB, 'old')
    const next = Buffer.from(old)
    for (let at = 0; at < next.length; at += MiB) next.write('edit', at)
    const two = await pair(next, old)
    const { bytes } = await sync(two)
    expect(readFileSync(join(two.to, 'f')).equals(next)).toBe(true)
    expect(bytes).toBeLessThan(100_000)
  })

  test('is on its way while the rest of it is looked for', async () => {
    const old = noise(24 * MiB, 'old')
    const two = await pair(Buffer.concat([noise(1000, 'more'), old]), old)
    // What happens to a file that was read to its end is not noticed any more.
    const edited: ContentSource = {
      read(requests) {
        const content = two.source.read(requests)
        content.once('data', () => writeFileSync(join(two.from, 'f'), 'edited meanwhile'))
        return content.pause()
      },
    }
    const [outcome] = await carriedOut(two.target, [update(two)], edited)
    expect(outcome?.result).toBe('source-changed')
  })

  test('is left alone if it changes while the new one is made of it', async () => {
    const old = noise(2 * MiB, 'old')
    const two = await pair(Buffer.concat([old, noise(1000, 'more')]), old)
    const operation = update(two)
    writeFileSync(join(two.to, 'f'), 'edited meanwhile')
    const [outcome] = await carriedOut(two.target, [operation], two.source)
    expect(outcome?.result).toBe('stale')
    expect(readFileSync(join(two.to, 'f'), 'utf8')).toBe('edited meanwhile')
  })

  test('is sent whole after what was put together turned out to be something else', async () => {
    const old = noise(2 * MiB, 'old')
    const next = Buffer.concat([noise(1000, 'more'), old])
    const two = await pair(next, old)
    // Reading sees what stamps do not show: as if blocks had the same sums and another content.
    const spoiled: ContentSource = {
      read: (requests) =>
        two.source.read(
          requests.map((request) => {
            const { signature } = request
            if (signature === undefined) return request
            return { ...request, signature: { ...signature, old: signature.old.slice(1) } }
          }),
        ),
    }
    const [first] = await carriedOut(two.target, [update(two)], spoiled)
    expect(first?.result).toBe('stale')
    expect(readFileSync(join(two.to, 'f')).equals(old)).toBe(true)
    const [second] = await carriedOut(two.target, [update(two)], spoiled)
    expect(second?.result).toBe('done')
    expect(readFileSync(join(two.to, 'f')).equals(next)).toBe(true)
  })
})

/** Content that ends with an error after so many bytes. */
function cutAfter(source: ContentSource, bytes: number): ContentSource {
  return {
    read: (requests) => {
      const content = source.read(requests)
      const cut = new PassThrough()
      let left = bytes
      content.on('data', (chunk: Buffer) => {
        if (left < 0) return
        cut.write(chunk.subarray(0, left))
        left -= chunk.length
        if (left <= 0) {
          left = -1
          content.destroy()
          setImmediate(() => cut.destroy(new Error('the connection is gone')))
        }
      })
      content.on('error', () => {})
      content.on('end', () => cut.end())
      content.resume()
      return cut
    },
  }
}

describe('a large file whose transfer is cut', () => {
  test.each([1.5, 3, 7.9])('after %d MiB goes on from there', async (cut) => {
    const next = noise(8 * MiB, 'new')
    const two = await pair(next)
    const [first] = await carriedOut(two.target, [update(two)], cutAfter(two.source, cut * MiB))
    expect(first?.result).toBe('failed')
    expect(existsSync(join(two.to, 'f'))).toBe(false)
    const { outcome, bytes } = await sync(two)
    expect(outcome?.result).toBe('done')
    expect(readFileSync(join(two.to, 'f')).equals(next)).toBe(true)
    expect(bytes).toBeLessThan((8 - cut + 0.6) * MiB)
    expect(readdirSync(two.to)).toEqual(['f'])
  })

  test('begins anew where the source changed meanwhile, and is right', async () => {
    const two = await pair(noise(8 * MiB, 'new'))
    await carriedOut(two.target, [update(two)], cutAfter(two.source, 5 * MiB))
    const other = noise(8 * MiB, 'other')
    writeFileSync(join(two.from, 'f'), other)
    await two.source.rescan('all')
    const { outcome, bytes } = await sync(two)
    expect(outcome?.result).toBe('done')
    expect(bytes).toBeGreaterThan(8 * MiB)
    expect(readFileSync(join(two.to, 'f')).equals(other)).toBe(true)
  })

  test('takes nothing from what is left but what it is to be', async () => {
    const next = noise(8 * MiB, 'new')
    const two = await pair(next)
    const left = Buffer.from(next.subarray(0, 6 * MiB))
    left.write('damaged', 3 * MiB)
    writeFileSync(join(two.to, partialName('f')), left)
    expect((await sync(two)).outcome?.result).toBe('done')
    expect(readFileSync(join(two.to, 'f')).equals(next)).toBe(true)
    expect(readdirSync(two.to)).toEqual(['f'])
  })

  test('again and again, at any byte, sends little more than all of it once', async () => {
    const old = noise(3 * MiB, 'old')
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 4 * MiB }), { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        async (cuts, isUpdate) => {
          const next = Buffer.concat([noise(5 * MiB, 'new'), old, noise(2 * MiB, 'more')])
          const two = await pair(next, isUpdate ? old : undefined)
          let bytes = 0
          for (const cut of cuts) {
            const counted = new Counted(two.source)
            const [outcome] = await carriedOut(two.target, [update(two)], cutAfter(counted, cut))
            bytes += Math.min(cut, counted.bytes)
            if (outcome?.result === 'done') return
          }
          const { outcome, bytes: rest } = await sync(two)
          expect(outcome?.result).toBe('done')
          expect(readFileSync(join(two.to, 'f')).equals(next)).toBe(true)
          // What arrived of a message that was cut, and what is too little to be kept, is sent again.
          const size = isUpdate ? 7 * MiB : 10 * MiB
          expect(bytes + rest).toBeLessThan(size + (cuts.length + 1) * 1.3 * MiB)
          expect(readdirSync(two.to)).toEqual(['f'])
        },
      ),
      { numRuns: 8 },
    )
  })

  test('is in no tree', async () => {
    const two = await pair(Buffer.from('x'))
    const name = partialName('g')
    writeFileSync(join(two.to, name), noise(1000, 'left'))
    await two.target.rescan('all')
    expect(two.target.tree?.children?.has(name)).toBe(false)
    expect(existsSync(join(two.to, name))).toBe(true)
  })

  test('is waited for a day', () => {
    const root = temporaryRoot()
    const name = partialName('g')
    writeFileSync(join(root, name), 'left')
    const stats = lstatSync(join(root, name))
    expect(isLeftOver(name, stats, Date.now() + 1000)).toBe(false)
    stats.ctimeMs -= 25 * 3_600_000
    expect(isLeftOver(name, stats, 0)).toBe(true)
  })
})

/** Sends a file as what the receiver has of it, up to its tag; what comes then is for the test to say. */
function upToTag(
  bytes: Buffer,
  then: (writer: ContentWriter, stream: PassThrough) => unknown,
): ContentSource {
  return {
    read() {
      const stream = new PassThrough()
      const writer = new ContentWriter(stream)
      const key = newTagKey()
      const tagging = new Tagging(key)
      tagging.update(bytes)
      writer.key(key)
      writer.copy({ basis: 'old', from: 0, length: bytes.length })
      writer.tag(tagging.tag())
      void writer.flush().then(() => then(writer, stream))
      return stream
    },
  }
}

/** Resolves when the file in the other folder has this size. */
async function published({ to }: Pair, size: number): Promise<void> {
  await vi.waitFor(() => expect(lstatSync(join(to, 'f')).size).toBe(size))
}

describe('a large file that was put together and has the right tag', () => {
  const next = noise(512 * 1024, 'old')
  const old = Buffer.concat([next, noise(1000, 'more')])
  const digest = digestOf(next)

  test('is there before its sender knows its digest', async () => {
    const two = await pair(next, old)
    const source = upToTag(next, async (writer, stream) => {
      await published(two, next.length)
      writer.end(digest)
      await writer.flush()
      stream.end()
    })
    const [outcome] = await carriedOut(two.target, [update(two)], source)
    expect(outcome).toMatchObject({ result: 'done', entry: { digest } })
    expect(readFileSync(join(two.to, 'f')).equals(next)).toBe(true)
    expect(two.target.tree?.children?.get('f')?.entry).toMatchObject({ digest })
  })

  test.each([
    ['changes there', (writer: ContentWriter) => writer.changed()],
    ['cannot be read any more', (writer: ContentWriter) => writer.failed({ code: 'EIO', message: 'bad' })],
    ['is never heard of again', () => {}],
  ])('is known to be what was sent even if it %s', async (_, ending) => {
    const two = await pair(next, old)
    const source = upToTag(next, async (writer, stream) => {
      ending(writer)
      await writer.flush()
      stream.end()
    })
    const [outcome] = await carriedOut(two.target, [update(two)], source)
    expect(outcome).toMatchObject({ result: 'done', entry: { digest } })
    expect(readFileSync(join(two.to, 'f')).equals(next)).toBe(true)
  })

  test('is not taken for what it was when it changed again meanwhile', async () => {
    const two = await pair(next, old)
    const source = upToTag(next, async (writer, stream) => {
      await published(two, next.length)
      writeFileSync(join(two.to, 'f'), 'edited there')
      await two.target.rescan(['f'])
      writer.end(digest)
      await writer.flush()
      stream.end()
    })
    const [outcome] = await carriedOut(two.target, [update(two)], source)
    expect(outcome?.result).toBe('stale')
    expect(two.target.tree?.children?.get('f')?.entry).toMatchObject({ stamp: { size: 12 } })
    expect(readFileSync(join(two.to, 'f'), 'utf8')).toBe('edited there')
  })

  test('replaces nothing that is kept before it is known not to be the same', async () => {
    const [from, to, trash] = [temporaryRoot(), temporaryRoot(), temporaryRoot()]
    writeFileSync(join(from, 'f'), next)
    writeFileSync(join(to, 'f'), old)
    const two = {
      ...{ from, to, source: await servedReplica(from) },
      target: await servedReplica(to, openDirectory, { trash }),
    }
    const source = upToTag(next, (writer, stream) => {
      writer.changed()
      void writer.flush().then(() => stream.end())
    })
    const [outcome] = await carriedOut(two.target, [update(two)], source)
    expect(outcome?.result).toBe('source-changed')
    expect(readFileSync(join(to, 'f')).equals(old)).toBe(true)
  })
})

/** What a sender of nonsense sends. */
type Nonsense = (writer: ContentWriter) => void

const nonsense: fc.Arbitrary<Nonsense> = fc.oneof(
  fc
    .record({
      basis: fc.constantFrom('old' as const, 'staged' as const),
      from: fc.nat(600_000),
      length: fc.nat(600_000),
    })
    .map((copy) => (writer: ContentWriter) => writer.copy(copy)),
  fc.nat(1000).map((size) => (writer: ContentWriter) => {
    const chunk = writer.chunk(size)
    chunk.fill(1)
    writer.confirm(chunk)
  }),
  fc.constantFrom(0, 1).map((byte) => (writer: ContentWriter) => writer.key(Buffer.alloc(16, byte))),
  fc.constantFrom(0, 1).map((byte) => (writer: ContentWriter) => writer.tag(Buffer.alloc(16, byte))),
)

describe('a sender of nonsense', () => {
  test('never gets a file written that is not what it said it would be', async () => {
    const old = noise(512 * 1024, 'old')
    const two = await pair(noise(512 * 1024, 'new'), old)
    await fc.assert(
      fc.asyncProperty(fc.array(nonsense, { maxLength: 6 }), async (all) => {
        const source: ContentSource = {
          read() {
            const stream = new PassThrough()
            const writer = new ContentWriter(stream)
            for (const one of all) one(writer)
            writer.end(digestOf(noise(512 * 1024, 'new')))
            void writer.flush().then(() => stream.end())
            return stream
          },
        }
        const [outcome] = await carriedOut(two.target, [update(two)], source)
        expect(outcome?.result).not.toBe('done')
        expect(readFileSync(join(two.to, 'f')).equals(old)).toBe(true)
        expect(readdirSync(two.to)).toEqual(['f'])
      }),
      { numRuns: 60 },
    )
  })
})
