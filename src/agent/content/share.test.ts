import { closeSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Operation, Outcome } from '../../files/operation.ts'
import { decodeRecords } from '../../files/replica/content.ts'
import { digestOf } from '../../files/replica/hash.ts'
import { withApply } from '../../files/replica/on-behalf.ts'
import type { ContentSource, Replica } from '../../files/replica/replica.ts'
import { temporaryRoot } from '../../files/replica/testing/roots.ts'
import { carriedOut, fileAt, servedReplica } from '../../files/replica/testing/served.ts'
import { duplexPair } from '../../wire/duplex-pair.ts'
import { readMessages } from '../../wire/messages.ts'
import { Depot, type NodeStore } from './depot.ts'
import { keepContent } from './keep.ts'
import { newRing, type Ring, readerOf } from './ring.ts'
import { withDepot } from './share.ts'

const RING = 1024 * 1024

/** A folder here, a node, and the folders of replicas on it. */
interface Stage {
  readonly local: Replica
  readonly source: ContentSource
  readonly replicas: readonly Replica[]
  readonly roots: readonly string[]
  readonly depot: Depot
  /** Paths in the order in which their content was asked of the folder here. */
  readonly read: string[]
}

interface Setting {
  readonly files: Readonly<Record<string, Buffer>>
  readonly replicas: number
  readonly size?: number
  /** Instead of a store that works. */
  readonly store?: (ring: Ring) => NodeStore
}

function storeOf(ring: Ring): NodeStore {
  return {
    size: ring.size,
    async *keep(content: Readable) {
      const [here, there] = duplexPair()
      content.pipe(here)
      keepContent(there, ring).catch((error) => there.destroy(error))
      for await (const message of readMessages(here)) yield* decodeRecords(message)
    },
  }
}

async function stage({ files, replicas, size = RING, store = storeOf }: Setting): Promise<Stage> {
  const folder = temporaryRoot()
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  const local = await servedReplica(folder)
  const read: string[] = []
  const source: ContentSource = {
    read(requests) {
      read.push(...requests.map(({ path }) => path))
      return local.read(requests)
    },
  }
  const ring = newRing(temporaryRoot(), size)
  const depot = new Depot(store(ring))
  const roots = Array.from({ length: replicas }, () => temporaryRoot())
  const load = readerOf(ring)
  const opened = roots.map((root) => withDepot(depot, () => servedReplica(root, undefined, { load })))
  return { local, source, replicas: await Promise.all(opened), roots, depot, read }
}

function putAll(local: Replica, names: readonly string[]): Operation[] {
  return names.map((path) => {
    const { stamp, executable } = fileAt(local, path)
    return { op: 'put', path, expect: 'absent', executable, source: { stamp } }
  })
}

/** Has a replica take files, and those again that it could not get, as a session does. */
async function take({ local, source }: Stage, replica: Replica, names: readonly string[]): Promise<void> {
  const outcomes = await carriedOut(replica, putAll(local, names), source)
  const again = outcomes.filter(({ result }) => result === 'source-changed').map(({ path }) => path)
  expect(outcomes.filter(({ result }) => result === 'failed')).toEqual([])
  if (again.length > 0) await take({ local, source } as Stage, replica, again)
}

/** Names and digests: large buffers are slow to compare. */
function contentOf(root: string): Record<string, string> {
  return digestsOf(
    Object.fromEntries(readdirSync(root).map((name) => [name, readFileSync(join(root, name))])),
  )
}

function digestsOf(files: Readonly<Record<string, Buffer>>): Record<string, string> {
  const digests = Object.entries(files).map(([name, content]) => [name, digestOf(content)] as const)
  return Object.fromEntries(digests.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

const some = Object.fromEntries(
  Array.from({ length: 40 }, (_, index) => [`file-${index}`, Buffer.alloc(index * 500, index)]),
)
const names = Object.keys(some)

test('what several replicas take at the same time is read and sent once', async () => {
  const here = await stage({ files: some, replicas: 4 })
  await Promise.all(here.replicas.map((replica) => take(here, replica, names)))
  for (const root of here.roots) expect(contentOf(root)).toEqual(digestsOf(some))
  expect(here.read.toSorted()).toEqual(names.toSorted())
})

test('a replica that comes later takes what is still there', async () => {
  const here = await stage({ files: some, replicas: 2 })
  for (const replica of here.replicas) await take(here, replica, names)
  expect(here.read).toHaveLength(names.length)
})

test('a file that changed is sent anew', async () => {
  const here = await stage({ files: { a: Buffer.from('one') }, replicas: 2 })
  const [first, second] = here.replicas
  if (first === undefined || second === undefined) throw new Error('two')
  await take(here, first, ['a'])
  const stamp = { ...fileAt(here.local, 'a').stamp, ino: 1 }
  const [outcome] = await carriedOut(
    second,
    [{ op: 'put', path: 'a', expect: 'absent', executable: false, source: { stamp } }],
    here.source,
  )
  expect(outcome?.result).toBe('source-changed')
  expect(here.read).toEqual(['a', 'a'])
})

test('one replica alone on its node is sent to directly', async () => {
  const here = await stage({
    files: some,
    replicas: 1,
    store: ({ size }) => ({
      size,
      keep: () => {
        throw new Error('nobody else needs it')
      },
    }),
  })
  for (const replica of here.replicas) await take(here, replica, names)
  expect(contentOf(here.roots[0] ?? '')).toEqual(digestsOf(some))
})

test('a replica that takes nothing any more holds up no other', async () => {
  const here = await stage({ files: some, replicas: 2 })
  const stuck = withApply(await servedReplica(temporaryRoot()), async function* (operations, source) {
    source.read(operations.flatMap((one) => (one.op === 'put' ? [{ path: one.path, ...one.source }] : [])))
    yield []
    await new Promise(() => {})
  })
  const member = await withDepot(here.depot, async () => stuck)
  const outcomes = member.apply(putAll(here.local, names), here.source)[Symbol.asyncIterator]()
  await outcomes.next()
  await Promise.all(here.replicas.map((replica) => take(here, replica, names)))
  for (const root of here.roots) expect(contentOf(root)).toEqual(digestsOf(some))
  expect(here.read).toHaveLength(names.length)
})

describe('what is in the store is not believed', () => {
  test('what somebody else wrote there never becomes a file', async () => {
    let target = -1
    const ring = newRing(temporaryRoot(), RING)
    const tampered = (): NodeStore => ({
      size: ring.size,
      async *keep(content) {
        for await (const record of storeOf(ring).keep(content)) {
          if (record.kind === 'stored') writeSync(target, 'EVIL', record.at % ring.size)
          yield record
        }
      },
    })
    target = openSync(`/proc/self/fd/${ring.fd}`, 'r+')
    const files = { a: Buffer.from('good content'), b: Buffer.from('more of it') }
    const here = await stage({ files, replicas: 0, store: tampered })
    const roots = [temporaryRoot(), temporaryRoot()]
    const open = (root: string) => () => servedReplica(root, undefined, { load: readerOf(ring) })
    const replicas = await Promise.all(roots.map((root) => withDepot(here.depot, open(root))))
    await Promise.all(replicas.map((replica) => take(here, replica, ['a', 'b'])))
    for (const root of roots) expect(contentOf(root)).toEqual(digestsOf(files))
    closeSync(target)
  })
})

test('without room on the node everything is sent to each replica', async () => {
  const here = await stage({
    files: some,
    replicas: 2,
    store: ({ size }) => ({
      size,
      async *keep() {
        yield* []
        throw new Error('ENOSPC')
      },
    }),
  })
  await Promise.all(here.replicas.map((replica) => take(here, replica, names)))
  for (const root of here.roots) expect(contentOf(root)).toEqual(digestsOf(some))
})

test('whoever takes what, in whatever order and however small the store, ends up with it', async () => {
  const sizes = fc.uniqueArray(fc.nat(400_000), { minLength: 1, maxLength: 12 })
  const orders = fc.array(fc.infiniteStream(fc.nat(1000)), { minLength: 2, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(
      sizes,
      orders,
      fc.integer({ min: 600_000, max: 2_000_000 }),
      async (sizes, orders, size) => {
        const files = Object.fromEntries(sizes.map((size) => [`file-${size}`, Buffer.alloc(size, size)]))
        const here = await stage({ files, replicas: orders.length, size })
        await Promise.all(
          here.replicas.map((replica, index) => {
            const keys = new Map(Object.keys(files).map((name) => [name, orders[index]?.next().value ?? 0]))
            const shuffled = [...keys].toSorted((a, b) => a[1] - b[1]).map(([name]) => name)
            return take(here, replica, shuffled)
          }),
        )
        for (const root of here.roots) expect(contentOf(root)).toEqual(digestsOf(files))
      },
    ),
    { numRuns: 12 },
  )
})

test('folders are made as without it', async () => {
  const here = await stage({ files: { a: Buffer.from('a') }, replicas: 2 })
  const outcomes: Outcome[] = []
  for (const replica of here.replicas) {
    outcomes.push(...(await carriedOut(replica, [{ op: 'mkdir', path: 'd', expect: 'absent' }], here.source)))
  }
  expect(outcomes.map(({ result }) => result)).toEqual(['done', 'done'])
  expect(here.read).toEqual([])
})
