import type { Catalog, MessageField } from './catalog.ts'
import { messageOf } from './catalog.ts'
import { badRequest } from './failure.ts'
import type { JsonObject } from './object.ts'

export const protobufMedia = 'application/vnd.kubernetes.protobuf'

/** What every object in protobuf begins with; then comes a runtime.Unknown. */
const magic = Buffer.from('k8s\0')

/**
 * An object that a client sent in protobuf, as it would have sent it in JSON: kubectl does so wherever it knows the type. What is
 * left out is what Go's `omitempty` leaves out of JSON: in protobuf such fields are always there. Throws 400.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
 */
export function objectInProtobuf(body: Buffer, catalog: Catalog): JsonObject {
  if (!body.subarray(0, magic.length).equals(magic)) {
    throw badRequest('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]')
  }
  try {
    const envelope = fieldsOf(body.subarray(magic.length))
    const [apiVersion, kind] = [1, 2].map((number) =>
      textOf(last(fieldsOf(bytesOf(last(envelope.get(1)))).get(number))),
    )
    const id = messageOf(catalog, apiVersion ?? '', kind ?? '')
    if (id === undefined) throw badRequest(`no kind "${kind}" is registered for version "${apiVersion}"`)
    return { apiVersion, kind, ...message(bytesOf(last(envelope.get(2))), catalog, id) }
  } catch (error) {
    throw error instanceof RangeError ? badRequest(`invalid protobuf: ${error.message}`) : error
  }
}

/** A number, or bytes. */
type Raw = bigint | Buffer

/** The fields of a message, by number: https://protobuf.dev/programming-guides/encoding/ */
function fieldsOf(bytes: Buffer): Map<number, Raw[]> {
  const fields = new Map<number, Raw[]>()
  let at = 0
  const varint = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, value)
    }
  }
  const take = (length: number) => {
    if (at + length > bytes.length) throw new RangeError('unexpected end')
    at += length
    return bytes.subarray(at - length, at)
  }
  const readers: Readonly<Record<number, () => Raw>> = {
    0: varint,
    1: () => take(8),
    2: () => take(Number(varint())),
    5: () => take(4),
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    const read = readers[tag & 7]
    if (read === undefined) throw new RangeError(`wire type ${tag & 7}`)
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), read()])
  }
  return fields
}

function message(bytes: Buffer, catalog: Catalog, id: string): JsonObject {
  const fields = fieldsOf(bytes)
  const entries = (catalog.messages[id] ?? []).flatMap(([number, name, type]: MessageField) => {
    const found = fields.get(number)
    if (found === undefined) return []
    const decoded = value(found, type, catalog)
    return name === '' ? Object.entries(decoded ?? {}) : [[name, decoded] as const]
  })
  return Object.fromEntries(entries.filter(([, decoded]) => decoded !== undefined))
}

/** The value of a field; undefined where JSON would leave it out. */
function value(found: readonly Raw[], type: string, catalog: Catalog): unknown {
  if (type.startsWith('*')) return single(last(found), type.slice(1), catalog)
  if (type.startsWith('[]')) return found.map((raw) => single(raw, type.slice(2), catalog))
  if (type.startsWith('{}')) return Object.fromEntries(found.map((raw) => entry(raw, type.slice(2), catalog)))
  const decoded = single(last(found), type, catalog)
  return isZero(decoded) ? undefined : decoded
}

function entry(raw: Raw, type: string, catalog: Catalog): [string, unknown] {
  const pair = fieldsOf(bytesOf(raw))
  return [textOf(last(pair.get(1))), single(last(pair.get(2)), type, catalog)]
}

function isZero(decoded: unknown): boolean {
  if (typeof decoded === 'object' && decoded !== null) return Object.keys(decoded).length === 0
  return decoded === '' || decoded === 0 || decoded === false || decoded === null
}

function single(raw: Raw | undefined, type: string, catalog: Catalog): unknown {
  const read = scalars[type]
  return read === undefined ? message(bytesOf(raw), catalog, type) : read(raw)
}

const scalars: Readonly<Record<string, (raw: Raw | undefined) => unknown>> = {
  string: textOf,
  int: numberOf,
  bool: (raw) => numberOf(raw) !== 0,
  bytes: (raw) => bytesOf(raw).toString('base64'),
  time: (raw) =>
    timeOf(raw)
      ?.toISOString()
      .replace(/\.\d+Z$/, 'Z') ?? null,
  'micro-time': (raw) => timeOf(raw)?.toISOString().replace('Z', '000Z') ?? null,
  quantity: (raw) => textOf(last(fieldsOf(bytesOf(raw)).get(1))),
  'int-or-string': (raw) => {
    const fields = fieldsOf(bytesOf(raw))
    return numberOf(last(fields.get(1))) === 0 ? numberOf(last(fields.get(2))) : textOf(last(fields.get(3)))
  },
  json: (raw) => JSON.parse(textOf(last(fieldsOf(bytesOf(raw)).get(1))) || 'null'),
  strings: (raw) => (fieldsOf(bytesOf(raw)).get(1) ?? []).map(textOf),
}

function last<T>(list: readonly T[] | undefined): T | undefined {
  return list?.at(-1)
}

function bytesOf(raw: Raw | undefined): Buffer {
  return typeof raw === 'object' ? raw : Buffer.alloc(0)
}

function textOf(raw: Raw | undefined): string {
  return bytesOf(raw).toString('utf8')
}

function numberOf(raw: Raw | undefined): number {
  return typeof raw === 'bigint' ? Number(raw) : 0
}

function timeOf(raw: Raw | undefined): Date | undefined {
  const fields = fieldsOf(bytesOf(raw))
  if (fields.size === 0) return undefined
  return new Date(numberOf(last(fields.get(1))) * 1000 + Math.floor(numberOf(last(fields.get(2))) / 1e6))
}
