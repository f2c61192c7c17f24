import { describe, expect, it } from 'vitest'
import { loadCatalog } from './catalog.ts'
import { objectInProtobuf } from './protobuf.ts'

const catalog = loadCatalog()

/** What `kubectl create deployment hello --image=any --replicas=2 -- sleep 1000000` sends. */
const deployment =
  'azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50EsABCiMKBWhlbGxvEgAaACIAKgAyADgAQgBaDAoDYXBwEgVoZWxsbxKKAQgCEg4KDAoDYXBwEgVoZWxsbxpuCh4KABIAGgAiACoAMgA4AEIAWgwKA2FwcBIFaGVsbG8STBIuCgNhbnkSA2FueRoFc2xlZXAaBzEwMDAwMDAqAEIAagByAIABAIgBAJABAKIBABoAMgBCAEoAUgBYAGAAaACCAQCKAQCaAQDCAQAiAgoAKAA4ABoMCAAQABgAIAAoADgAGgAiAA=='

/** A field of a message, as protobuf encodes it. */
function field(number: number, value: string | number | Buffer): Buffer {
  if (typeof value === 'number') return Buffer.concat([varint(number << 3), varint(value)])
  const bytes = Buffer.from(value)
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let left = BigInt.asUintN(64, BigInt(value))
  for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(left)])
}

const message = (...fields: Buffer[]) => Buffer.concat(fields)
const entry = (number: number, key: string, value: string | Buffer) =>
  field(number, message(field(1, key), field(2, value)))

function decode(apiVersion: string, kind: string, ...fields: Buffer[]) {
  const envelope = message(
    field(1, message(field(1, apiVersion), field(2, kind))),
    field(2, message(...fields)),
  )
  return objectInProtobuf(Buffer.concat([Buffer.from('k8s\0'), envelope]), catalog)
}

it('is what the client would have sent in JSON', () => {
  expect(objectInProtobuf(Buffer.from(deployment, 'base64'), catalog)).toEqual({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'hello', labels: { app: 'hello' } },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'hello' } },
      template: {
        metadata: { labels: { app: 'hello' } },
        spec: { containers: [{ name: 'any', image: 'any', command: ['sleep', '1000000'] }] },
      },
    },
  })
})

describe('fields', () => {
  const spec = (...fields: Buffer[]) => decode('apps/v1', 'Deployment', field(2, message(...fields))).spec

  it('where a zero says something are kept', () => {
    expect(spec(field(1, 0))).toEqual({ replicas: 0 })
    expect(spec(field(5, 0), field(7, 0))).toBeUndefined()
  })

  it('of numbers may be negative', () => {
    expect(spec(field(1, -3))).toEqual({ replicas: -3 })
  })

  it('that are not known are passed over', () => {
    expect(spec(field(1, 1), field(999, 'later'), field(998, 7))).toEqual({ replicas: 1 })
  })

  it('of numbers or text are what they are', () => {
    const rolling = (amount: Buffer) => spec(field(4, field(2, field(2, amount))))
    expect(rolling(message(field(1, 1), field(2, 0), field(3, '25%')))).toEqual({
      strategy: { rollingUpdate: { maxSurge: '25%' } },
    })
    expect(rolling(message(field(1, 0), field(2, 0), field(3, '')))).toEqual({
      strategy: { rollingUpdate: { maxSurge: 0 } },
    })
  })

  it('of bytes are base64, maps are objects', () => {
    expect(
      decode('v1', 'Secret', entry(2, 'a', 'secret'), entry(2, 'b', Buffer.from([0xff, 0]))),
    ).toMatchObject({
      data: { a: 'c2VjcmV0', b: '/wA=' },
    })
  })

  it('of time and quantity are text', () => {
    const metadata = field(1, field(8, message(field(1, 1_700_000_000), field(2, 0))))
    expect(decode('v1', 'ConfigMap', metadata)).toMatchObject({
      metadata: { creationTimestamp: '2023-11-14T22:13:20Z' },
    })
    const hard = field(2, entry(1, 'pods', field(1, '3')))
    expect(decode('v1', 'ResourceQuota', hard)).toMatchObject({ spec: { hard: { pods: '3' } } })
  })

  it('of an inlined message stand in the one around it', () => {
    const volume = message(field(1, 'tmp'), field(2, field(2, '')))
    expect(decode('v1', 'Pod', field(2, field(1, volume)))).toMatchObject({
      spec: { volumes: [{ name: 'tmp', emptyDir: {} }] },
    })
  })
})

it.each([
  ['without the prefix', Buffer.from('{}'), 'expected prefix'],
  ['cut off', Buffer.from(deployment, 'base64').subarray(0, 60), 'invalid protobuf'],
])('%s is refused', (_, body, message) => {
  expect(() => objectInProtobuf(body, catalog)).toThrow(message)
})

it('of an unknown kind is refused', () => {
  expect(() => decode('example.com/v1', 'Thing')).toThrow('no kind "Thing" is registered')
})
