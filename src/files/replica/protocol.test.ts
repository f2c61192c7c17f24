import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { duplexPair } from '../../wire/duplex-pair.ts'
import { WireError } from '../../wire/error.ts'
import { writeMessage } from '../../wire/messages.ts'
import { Mux } from '../../wire/mux.ts'
import { anyDigest, anyEntry, anyPath, anyStamp } from '../testing/arbitrary.ts'
import { connectReplica } from './client.ts'
import { ContentReader } from './content.ts'
import { decodeNotice, encodeNotice } from './notice-codec.ts'
import { decodePurpose, encodePurpose, type Notice, type Purpose, type Request } from './protocol.ts'
import { decodeReadRequests, decodeRequest, encodeReadRequests, encodeRequest } from './request-codec.ts'
import { serveReplica } from './server.ts'

const id = fc.nat()
const problem = fc.record({ path: anyPath, code: fc.string(), message: fc.string() })
const file = fc.record({ path: anyPath, stamp: anyStamp })
const blockSize = fc.integer({ min: 1024, max: 65_536 })
const sums = fc.array(fc.nat()).map((list) => Uint32Array.from(list))
const signature = fc.record({ blockSize, old: sums, staged: sums })

const anyRequest: fc.Arbitrary<Request> = fc.oneof(
  fc.record({
    kind: fc.constant('rescan' as const),
    id,
    paths: fc.oneof(fc.array(anyPath), fc.constant('all' as const)),
  }),
  fc.record({ kind: fc.constant('hash' as const), id, files: fc.array(file) }),
  fc.record({
    kind: fc.constant('sign' as const),
    id,
    file: fc.record({ path: anyPath, blockSize, old: anyStamp }, { requiredKeys: ['path', 'blockSize'] }),
  }),
)

const info = fc.record({
  root: fc.record({ dev: fc.nat(), ino: fc.nat() }),
  storage: fc.record(
    {
      kind: fc.constantFrom('local' as const, 'container' as const, 'volume' as const),
      id: fc.string(),
      volumes: fc.array(anyPath, { minLength: 1 }),
    },
    { requiredKeys: ['kind', 'id'] },
  ),
  uid: fc.nat(),
  gid: fc.nat(),
  readOnly: fc.option(fc.string(), { nil: undefined }),
})

const anyNotice: fc.Arbitrary<Notice> = fc.oneof(
  fc.record({ kind: fc.constant('info' as const), info }),
  fc.record({
    kind: fc.constant('problems' as const),
    problems: fc
      .array(fc.tuple(problem, fc.boolean()))
      .map((list) => new Map(list.map(([one, isNew]) => [one.path, isNew ? one : null]))),
  }),
  fc.record({
    kind: fc.constant('delta' as const),
    isLast: fc.boolean(),
    delta: fc.array(fc.tuple(anyPath, fc.oneof(anyEntry, fc.constant(null)))),
  }),
  fc.record({ kind: fc.constant('rescanned' as const), id }),
  fc.record({
    kind: fc.constant('hashed' as const),
    id,
    digests: fc.array(fc.option(anyDigest, { nil: undefined })),
  }),
  fc.record({
    kind: fc.constant('outcomes' as const),
    id,
    isInTree: fc.boolean(),
    outcomes: fc.array(fc.record({ result: fc.constant('stale' as const), path: anyPath })),
  }),
  fc.record({ kind: fc.constant('applied' as const), id, reason: fc.string() }),
  fc.record({ kind: fc.constant('signed' as const), id, signature }),
)

const anyPurpose: fc.Arbitrary<Purpose> = fc.oneof(
  fc.record({ kind: fc.constant('control' as const) }),
  fc.record({ kind: fc.constant('read' as const), compresses: fc.boolean() }),
  fc.record({ kind: fc.constant('apply' as const), id }),
)

describe('what is said arrives as it was said', () => {
  test('requests', () => {
    fc.assert(
      fc.property(anyRequest, (it) => {
        expect(decodeRequest(encodeRequest(it))).toEqual(it)
      }),
    )
  })

  test('notices', () => {
    fc.assert(
      fc.property(anyNotice, (it) => {
        expect(decodeNotice(encodeNotice(it))).toEqual(it)
      }),
    )
  })

  test('what channels are for', () => {
    fc.assert(
      fc.property(anyPurpose, (it) => {
        expect(decodePurpose(encodePurpose(it))).toEqual(it)
      }),
    )
  })

  test('which files to read', () => {
    const known = fc.record({ path: anyPath, stamp: anyStamp, digest: anyDigest, signature })
    fc.assert(
      fc.property(fc.array(fc.oneof(file, known)), (files) => {
        expect(decodeReadRequests(encodeReadRequests(files))).toEqual(files)
      }),
    )
  })
})

describe('nonsense', () => {
  test.each([
    ['request', decodeRequest],
    ['notice', decodeNotice],
    ['purpose', decodePurpose],
    ['list of files', decodeReadRequests],
  ])('that is to be a %s is refused, and does no harm', (_, decode) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decode(Buffer.from(bytes))
        } catch (error) {
          expect(error).toBeInstanceOf(WireError)
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('that is to be content is refused', async () => {
    async function* messages() {
      yield Buffer.from('nonsense')
    }
    await expect(new ContentReader(messages()).next()).rejects.toThrow(WireError)
  })

  test('from a server loses the replica, and says why', async () => {
    const [here, there] = duplexPair()
    const server = new Mux(there, { role: 'server' })
    server.onChannel((channel) => {
      channel.on('error', () => {})
      const delta = [['not/there', null]] as const
      void writeMessage(channel, encodeNotice({ kind: 'delta', isLast: true, delta }))
    })
    await expect(connectReplica(here)).rejects.toMatchObject({
      code: 'REPLICA_LOST',
      message: expect.stringContaining('is not there'),
    })
  })

  test('about what is to be ignored is not for a container to say', async () => {
    const [here, there] = duplexPair()
    const server = new Mux(there, { role: 'server' })
    server.onChannel((channel) => {
      channel.on('error', () => {})
      const rules = { patterns: ['!.env'], vcs: false, files: [] }
      void writeMessage(channel, encodeNotice({ kind: 'rules', rules }))
    })
    await expect(connectReplica(here)).rejects.toMatchObject({
      code: 'REPLICA_LOST',
      message: expect.stringContaining('rules that nobody asked for'),
    })
  })

  test('from a client costs it the channel, whatever that is for', async () => {
    const [here, there] = duplexPair()
    const served = serveReplica(there, () => undefined)
    const client = new Mux(here, { role: 'client' })
    const refused = async (purpose: Buffer) => {
      const channel = client.open(purpose)
      channel.resume()
      const error = new Promise((resolve) => channel.once('error', resolve))
      void writeMessage(channel, Buffer.from('nonsense'))
      expect(await error).toMatchObject({ code: 'CHANNEL_RESET' })
    }
    await refused(encodePurpose({ kind: 'read', compresses: false }))
    const control = client.open(encodePurpose({ kind: 'control' }))
    control.on('error', () => {}).resume()
    await refused(encodePurpose({ kind: 'control' }))
    await refused(encodePurpose({ kind: 'read', compresses: false }))
    await refused(encodePurpose({ kind: 'apply', id: 1 }))
    await refused(Buffer.from('what?'))
    await client.close()
    expect(await served).toMatchObject({ kind: 'ended' })
  })
})
