import fc from 'fast-check'
import { isList, isMap, type Json, type JsonMap } from '../../value.ts'
import { itemsOf, type Shape, unknownShape } from '../shape.ts'

/** Containers by name, ports by number and protocol, finalizers as a set, commands as one thing. */
export const shape: Shape = fields({
  containers: listBy(
    ['name'],
    {},
    fields({ ports: listBy(['port', 'protocol'], { protocol: 'TCP' }, unknownShape) }),
  ),
  finalizers: { ...unknownShape, list: { by: 'value' } },
  selector: { ...unknownShape, isAtomic: true },
})

function fields(known: Record<string, Shape>): Shape {
  return { ...unknownShape, field: (name) => known[name] ?? unknownShape }
}

function listBy(keys: string[], defaults: JsonMap, item: Shape): Shape {
  return { ...unknownShape, list: { by: 'keys', keys, defaults }, item: () => item }
}

const scalar = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom('x', 'y'), fc.boolean())
const port = fc.record(
  { port: fc.integer({ min: 1, max: 3 }), protocol: fc.constantFrom('TCP', 'UDP'), name: scalar },
  { requiredKeys: ['port'] },
)
const container = fc.record(
  {
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    image: scalar,
    command: fc.array(scalar, { maxLength: 5 }),
    ports: fc.uniqueArray(port, { maxLength: 3, selector: (p) => `${p.port}${p.protocol ?? 'TCP'}` }),
  },
  { requiredKeys: ['name'], noNullPrototype: true },
)
/** Any object of that shape. */
export const object: fc.Arbitrary<JsonMap> = fc.record(
  {
    containers: fc.uniqueArray(container, { maxLength: 4, selector: ({ name }) => name }),
    finalizers: fc.uniqueArray(fc.constantFrom('p', 'q', 'r'), { maxLength: 3 }),
    selector: fc.dictionary(fc.constantFrom('k', 'l'), scalar, { noNullPrototype: true }),
    args: fc.array(scalar, { maxLength: 6 }),
    labels: fc.dictionary(fc.constantFrom('k', 'l', 'm'), scalar, { noNullPrototype: true }),
  },
  { requiredKeys: [], noNullPrototype: true },
) as fc.Arbitrary<JsonMap>

/** With lists that have an identity in a fixed order, for comparing where order means nothing. */
export function sorted(value: Json | undefined, of: Shape): Json {
  if (isMap(value))
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, sorted(v, of.field(k))]))
  if (!isList(value)) return value ?? null
  const items = itemsOf(value, of.list)
  if (items === undefined) return value
  return [...items].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => sorted(item.value, of.item()))
}
