import * as v from 'valibot'
import type { Json, JsonMap } from '../value.ts'
import { type ListIdentity, type Shape, unknownShape } from './shape.ts'

/** A schema as servers publish them, as far as it is read here; whatever else it says is passed over. */
interface Schema {
  readonly $ref?: string | undefined
  readonly allOf?: readonly Schema[] | undefined
  readonly properties?: Readonly<Record<string, Schema>> | undefined
  readonly additionalProperties?: Schema | boolean | undefined
  readonly items?: Schema | undefined
  readonly default?: unknown
  readonly 'x-kubernetes-list-type'?: string | undefined
  readonly 'x-kubernetes-list-map-keys'?: readonly string[] | undefined
  readonly 'x-kubernetes-map-type'?: string | undefined
  readonly 'x-kubernetes-patch-strategy'?: string | undefined
  readonly 'x-kubernetes-patch-merge-key'?: string | undefined
  readonly 'x-kubernetes-group-version-kind'?: unknown
}

const schemaSchema: v.GenericSchema<unknown, Schema> = v.object({
  $ref: v.optional(v.string()),
  allOf: v.optional(v.array(v.lazy(() => schemaSchema))),
  properties: v.optional(
    v.record(
      v.string(),
      v.lazy(() => schemaSchema),
    ),
  ),
  additionalProperties: v.optional(v.union([v.boolean(), v.lazy(() => schemaSchema)])),
  items: v.optional(v.lazy(() => schemaSchema)),
  default: v.optional(v.unknown()),
  'x-kubernetes-group-version-kind': v.optional(v.unknown()),
  'x-kubernetes-list-type': v.optional(v.string()),
  'x-kubernetes-list-map-keys': v.optional(v.array(v.string())),
  'x-kubernetes-map-type': v.optional(v.string()),
  'x-kubernetes-patch-strategy': v.optional(v.string()),
  'x-kubernetes-patch-merge-key': v.optional(v.string()),
})

const kindsSchema = v.array(v.object({ group: v.string(), version: v.string(), kind: v.string() }))
const documentSchema = v.union([
  v.object({ components: v.object({ schemas: v.record(v.string(), schemaSchema) }) }),
  v.object({ definitions: v.record(v.string(), schemaSchema) }),
])

/** The schemas of an OpenAPI document, version 3 or 2, by their ids. */
export type Schemas = Readonly<Record<string, Schema>>

/** Reads an OpenAPI document of a server. Throws a ValiError if it is none. */
export function readSchemas(document: unknown): Schemas {
  const read = v.parse(documentSchema, document)
  return 'components' in read ? read.components.schemas : read.definitions
}

/** How objects of a kind are compared; undefined when the schemas do not have that kind. */
export function shapeOf(schemas: Schemas, apiVersion: string, kind: string): Shape | undefined {
  const root = rootOf(schemas, apiVersion, kind)
  return root === undefined ? undefined : shape(root[1], schemas)
}

/** The schema of a kind and those it refers to. */
export function schemasOfKind(schemas: Schemas, apiVersion: string, kind: string): Schemas {
  const root = rootOf(schemas, apiVersion, kind)
  const found = new Map(root === undefined ? [] : [root])
  for (const schema of found.values()) {
    for (const id of referredIn(schema)) {
      const other = schemas[id]
      if (other !== undefined && !found.has(id)) found.set(id, other)
    }
  }
  return Object.fromEntries(found)
}

function referredIn({ $ref, allOf = [], properties = {}, additionalProperties, items }: Schema): string[] {
  const below = [...allOf, ...Object.values(properties), additionalProperties, items]
  const inside = below.flatMap((inner) => (typeof inner === 'object' ? referredIn(inner) : []))
  return $ref === undefined ? inside : [$ref.replace(prefix, ''), ...inside]
}

function rootOf(schemas: Schemas, apiVersion: string, kind: string): [string, Schema] | undefined {
  const [version = '', group = ''] = apiVersion.split('/').reverse()
  return Object.entries(schemas).find(([, schema]) => {
    const kinds = v.safeParse(kindsSchema, schema['x-kubernetes-group-version-kind'])
    return (
      kinds.success &&
      kinds.output.some((it) => it.group === group && it.version === version && it.kind === kind)
    )
  })
}

function shape(written: Schema, schemas: Schemas): Shape {
  const { properties, additionalProperties, items } = resolve(written, schemas)
  const inner = typeof additionalProperties === 'object' ? additionalProperties : undefined
  return {
    // What stands beside a reference says how it is used here, and comes before what it refers to.
    isAtomic: extension(written, schemas, 'x-kubernetes-map-type') === 'atomic',
    list: items === undefined ? { by: 'none' } : identity(written, schemas),
    field: (name) => {
      const field = properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : inner
      return field === undefined ? unknownShape : shape(field, schemas)
    },
    item: () => (items === undefined ? unknownShape : shape(items, schemas)),
  }
}

/**
 * As server-side apply addresses them (kube-openapi's schemaconv): the list's type, and the older
 * patch strategy where it has none.
 */
function identity(list: Schema, schemas: Schemas): ListIdentity {
  const type = extension(list, schemas, 'x-kubernetes-list-type')
  const { items } = resolve(list, schemas)
  if (type === 'set') return { by: 'value' }
  if (type === 'map') {
    const keys = resolve(list, schemas)['x-kubernetes-list-map-keys'] ?? []
    return { by: 'keys', keys, defaults: defaultsOf(items, keys, schemas) }
  }
  const merges =
    extension(list, schemas, 'x-kubernetes-patch-strategy')?.split(',').includes('merge') === true
  if (type !== undefined || !merges) return { by: 'none' }
  const key = extension(list, schemas, 'x-kubernetes-patch-merge-key')
  if (key === undefined) return { by: 'value' }
  return { by: 'keys', keys: [key], defaults: defaultsOf(items, [key], schemas) }
}

function defaultsOf(items: Schema | undefined, keys: readonly string[], schemas: Schemas): JsonMap {
  const { properties = {} } = items === undefined ? {} : resolve(items, schemas)
  const found = keys.map((key) => [key, properties[key]?.default ?? unsaid.get(key)] as const)
  return Object.fromEntries(found.filter((entry): entry is [string, Json] => isScalar(entry[1])))
}

/** Defaults of keys that older servers have and do not publish: of the ports of Services and containers. */
const unsaid: ReadonlyMap<string, Json> = new Map([['protocol', 'TCP']])

function isScalar(value: unknown): value is string | number | boolean {
  return value !== '' && ['string', 'number', 'boolean'].includes(typeof value)
}

type TextExtension =
  | 'x-kubernetes-list-type'
  | 'x-kubernetes-map-type'
  | 'x-kubernetes-patch-strategy'
  | 'x-kubernetes-patch-merge-key'

function extension(schema: Schema, schemas: Schemas, name: TextExtension): string | undefined {
  return schema[name] ?? resolve(schema, schemas)[name]
}

const prefix = /^#\/(?:components\/schemas|definitions)\//
/** References in a row; more are a circle. */
const maxReferences = 10

function resolve(schema: Schema, schemas: Schemas): Schema {
  let now = schema
  for (let count = 0; count < maxReferences; count++) {
    const reference = now.$ref ?? now.allOf?.[0]?.$ref
    if (reference === undefined) return now
    now = schemas[reference.replace(prefix, '')] ?? {}
  }
  return {}
}
