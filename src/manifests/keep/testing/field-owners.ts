import { equal, isMap, type Json, type JsonMap } from '../../value.ts'

/** Who owns which fields, each a JSON list of names; in lists nobody owns a part. */
type Owned = Map<string, { readonly operation: string; readonly fields: Set<string> }>

const unowned = new Set(['apiVersion', 'kind'])
const unownedMetadata = new Set([
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'managedFields',
  'creationTimestamp',
])

/** Server-side apply: what is new of an object, or whose field stands in the way. */
export function applied(
  before: JsonMap | undefined,
  sent: JsonMap,
  isForced: boolean,
): { readonly object: JsonMap } | { readonly conflict: string } {
  const owned = ownedIn(before)
  const wanted = leaves(sent)
  const had = owned.get('kubesync')?.fields ?? new Set()
  for (const [name, { fields }] of owned) {
    if (name === 'kubesync') continue
    const taken = [...wanted.keys()].filter(
      (key) => fields.has(key) && !equal(valueAt(before, key), wanted.get(key)),
    )
    if (taken.length > 0 && !isForced) return { conflict: name }
    for (const key of taken) fields.delete(key)
  }
  owned.set('kubesync', { operation: 'Apply', fields: new Set(wanted.keys()) })
  const isOthers = (key: string) =>
    [...owned].some(([name, { fields }]) => name !== 'kubesync' && fields.has(key))
  const gone = [...had].filter((key) => !wanted.has(key) && !isOthers(key))
  const start: JsonMap = before ?? {
    apiVersion: sent.apiVersion ?? '',
    kind: sent.kind ?? '',
    metadata: named(sent),
  }
  const without = gone.reduce((object, key) => put(object, JSON.parse(key), undefined), start)
  const object = [...wanted].reduce((now, [key, value]) => put(now, JSON.parse(key), value), without)
  return { object: withOwners(object, owned) }
}

/** Somebody else's write: what changes is theirs alone. */
export function updated(before: JsonMap | undefined, object: JsonMap, manager: string): JsonMap {
  const owned = ownedIn(before)
  const [old, now] = [leaves(before ?? {}), leaves(object)]
  const mine = owned.get(manager) ?? { operation: 'Update', fields: new Set<string>() }
  for (const key of new Set([...old.keys(), ...now.keys()])) {
    if (equal(old.get(key), now.get(key))) continue
    for (const { fields } of owned.values()) fields.delete(key)
    if (now.has(key)) mine.fields.add(key)
  }
  owned.set(manager, mine)
  return withOwners(object, owned)
}

function named(object: JsonMap): JsonMap {
  const { name = '', namespace = '' } = isMap(object.metadata) ? object.metadata : {}
  return { name, namespace }
}

function leaves(object: JsonMap): Map<string, Json> {
  const found = new Map<string, Json>()
  const visit = (value: Json, path: readonly string[]) => {
    if (path.length === 1 && unowned.has(path[0] ?? '')) return
    if (path[0] === 'metadata' && unownedMetadata.has(path[1] ?? '')) return
    if (isMap(value)) for (const [name, inner] of Object.entries(value)) visit(inner, [...path, name])
    else found.set(JSON.stringify(path), value)
  }
  visit(object, [])
  return found
}

function valueAt(object: Json | undefined, key: string): Json | undefined {
  return (JSON.parse(key) as string[]).reduce<Json | undefined>(
    (now, name) => (isMap(now) ? now[name] : undefined),
    object,
  )
}

function put(object: JsonMap, [name = '', ...rest]: readonly string[], value: Json | undefined): JsonMap {
  const { [name]: before, ...others } = object
  const inner = rest.length === 0 ? value : put(isMap(before) ? before : {}, rest, value)
  const isEmpty =
    inner === undefined ||
    (rest.length > 0 && isMap(inner) && Object.keys(inner).length === 0 && value === undefined)
  return isEmpty ? others : { ...object, [name]: inner }
}

function ownedIn(object: JsonMap | undefined): Owned {
  const entries = isMap(object?.metadata) ? object.metadata.managedFields : undefined
  return new Map(
    (Array.isArray(entries) ? (entries as JsonMap[]) : []).map((entry) => {
      const fields = new Set(leavesOfOwners(entry.fieldsV1 ?? {}, []))
      return [String(entry.manager), { operation: String(entry.operation), fields }]
    }),
  )
}

function leavesOfOwners(fields: Json, path: readonly string[]): string[] {
  const names = isMap(fields) ? Object.entries(fields).filter(([name]) => name.startsWith('f:')) : []
  if (names.length === 0) return path.length === 0 ? [] : [JSON.stringify(path)]
  return names.flatMap(([name, inner]) => leavesOfOwners(inner, [...path, name.slice(2)]))
}

function withOwners(object: JsonMap, owned: Owned): JsonMap {
  const managedFields = [...owned]
    .filter(([, { fields }]) => fields.size > 0)
    .map(([manager, { operation, fields }]) => ({
      ...{ manager, operation, fieldsType: 'FieldsV1' },
      fieldsV1: [...fields].reduce<JsonMap>(
        (now, key) =>
          put(
            now,
            (JSON.parse(key) as string[]).map((name) => `f:${name}`),
            {},
          ),
        {},
      ),
    }))
  return { ...object, metadata: { ...(isMap(object.metadata) ? object.metadata : {}), managedFields } }
}
