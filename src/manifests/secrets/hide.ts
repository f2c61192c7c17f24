import { readOne } from '../folder/documents.ts'
import { isList, isMap, type Json, type JsonMap } from '../value.ts'
import { parseYaml } from '../yaml/parse.ts'

/** What stands where a value of a Secret was. */
const word = '(left out)'
/** Where kubectl notes what it was given, values and all. */
const noted = 'kubectl.kubernetes.io/last-applied-configuration'

/** An object without the values of a Secret. */
export function withoutSecrets(object: JsonMap): JsonMap {
  if (object.kind !== 'Secret') return object
  const shown: Record<string, Json> = { ...object }
  for (const name of ['data', 'stringData']) {
    const values = object[name]
    if (values !== undefined) shown[name] = isMap(values) ? blank(values) : word
  }
  const { metadata } = object
  if (isMap(metadata) && isMap(metadata.annotations) && Object.hasOwn(metadata.annotations, noted)) {
    shown.metadata = { ...metadata, annotations: { ...metadata.annotations, [noted]: word } }
  }
  return shown
}

function blank(values: JsonMap): JsonMap {
  return Object.fromEntries(Object.keys(values).map((key) => [key, word]))
}

/**
 * What may be kept of an object, or of a file's text, where values of Secrets may not: the same if there are none in it; of a text that
 * has some, its objects.
 */
export function hidden(value: Json): Json {
  if (isMap(value)) return withoutSecrets(value)
  if (typeof value !== 'string' || !holdsSecret(value)) return value
  return readOne({ path: '', text: value }).manifests.map(({ object }) => withoutSecrets(object))
}

/** Whether something is what `hidden` made of something else. */
export function isHidden(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Array.isArray(value) || ('kind' in value && value.kind === 'Secret')
}

/** A text that cannot be read to its end may have anything in it. */
function holdsSecret(text: string): boolean {
  // The word as it is, or written with escapes: everything else is not worth reading a file for.
  if (!/Secret|\\[xuU\r\n]/.test(text)) return false
  return parseYaml(text).some(({ value, problems }) => problems.length > 0 || isSecret(value))
}

function isSecret(value: Json): boolean {
  if (!isMap(value)) return false
  return value.kind === 'Secret' || (isList(value.items) && value.items.some(isSecret))
}
