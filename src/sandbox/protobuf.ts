import { type Catalog, type MessageField, messageOf } from './catalog.ts'
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
    const unknown = body.subarray(magic.length)
    const [apiVersion, kind] = [1, 2].map((number) => textOf(field(field(unknown, 1), number)))
    const id = messageOf(catalog, apiVersion ?? '', kind ?? '')
    if (id === undefined) throw badRequest(`no kind "${kind}" is registered for version "${apiVersion}"`)
    return { apiVersion, kind, ...message(bytesOf(field(unknown, 2)), catalog, id) }
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
  const readers = new Map<number, () => Raw>([
    [0, varint],
    [1, () => take(8)],
    [2, () => take(Number(varint()))],
    [5, () => take(4)],
  ])
  while (at < bytes.length) {
    const tag = Number(varint())
    const read = readers.get(tag & 7)
    if (read === undefined) throw new RangeError(`wire type ${tag & 7}`)
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), read()])
  }
  return fields
}

/** A field of a message; of one that comes more than once the last counts. */
function field(message: Raw | undefined, number: number): Raw | undefined {
  return fieldsOf(bytesOf(message)).get(number)?.at(-1)
}

function message(bytes: Buffer, catalog: Catalog, id: string): JsonObject {
  const fields = fieldsOf(bytes)
  const entries = (catalog.messages[id] ?? []).flatMap(([number, name, type]: MessageField) => {
    const decoded = value(fields.get(number) ?? [], type, catalog)
    if (decoded === undefined) return []
    return name === '' ? Object.entries(Object(decoded)) : [[name, decoded]]
  })
  return Object.fromEntries(entries)
}

/** The value of a field; undefined where JSON would leave it out. */
function value(found: readonly Raw[], type: string, catalog: Catalog): unknown {
  const last = found.at(-1)
  if (last === undefined) return undefined
  const [, how = '', of = ''] = /^(\*|\[\]|\{\})?(.*)/.exec(type) ?? []
  if (how === '[]') return found.map((raw) => single(raw, of, catalog))
  if (how === '{}') {
    return Object.fromEntries(found.map((raw) => [textOf(field(raw, 1)), single(field(raw, 2), of, catalog)]))
  }
  const decoded = single(last, of, catalog)
  return how === '' && isZero(decoded) ? undefined : decoded
}

function isZero(decoded: unknown): boolean {
  return typeof decoded === 'object' ? Object.keys(decoded ?? {}).length === 0 : !decoded
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
  time: (raw) => timeOf(raw)?.replace(/\.\d+Z$/, 'Z') ?? null,
  'micro-time': (raw) => timeOf(raw)?.replace('Z', '000Z') ?? null,
  quantity: (raw) => textOf(field(raw, 1)),
  'int-or-string': (raw) => (numberOf(field(raw, 1)) === 0 ? numberOf(field(raw, 2)) : textOf(field(raw, 3))),
  json: (raw) => JSON.parse(textOf(field(raw, 1)) || 'null'),
  strings: (raw) => (fieldsOf(bytesOf(raw)).get(1) ?? []).map(textOf),
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

/** With milliseconds; undefined for none. */
function timeOf(raw: Raw | undefined): string | undefined {
  if (bytesOf(raw).length === 0) return undefined
  const [seconds, nanos] = [numberOf(field(raw, 1)), numberOf(field(raw, 2))]
  return new Date(seconds * 1000 + Math.floor(nanos / 1e6)).toISOString()
}
