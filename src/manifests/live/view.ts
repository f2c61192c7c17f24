import type { Rule } from '../sanitize/rule.ts'
import { sanitize } from '../sanitize/sanitize.ts'
import { isMap, type JsonMap } from '../value.ts'

/**
 * A live object without what does not belong into a file. What the user's own object says as text of a Secret
 * (`stringData`), which a server only takes and never gives back, is text here, too.
 */
export function cleanOf(object: JsonMap, rules: readonly Rule[], like: JsonMap | undefined): JsonMap {
  return textsAs(sanitize(object, rules, like).object, like)
}

/** A Secret in which that is text which another one says as text, and all else is encoded; other objects as they are. */
export function textsAs(object: JsonMap, like: JsonMap | undefined): JsonMap {
  const encoded = encodedOf(object)
  if (encoded.kind !== 'Secret' || !isMap(like?.stringData) || !isMap(encoded.data)) return encoded
  const asText = like.stringData
  const entries = Object.entries(encoded.data)
  const isText = ([key]: readonly [string, unknown]) => Object.hasOwn(asText, key)
  const data = Object.fromEntries(entries.filter((entry) => !isText(entry)))
  const texts = entries.filter(isText).map(([key, value]) => [key, decoded(String(value))])
  const { data: _, ...others } = encoded
  return {
    ...others,
    ...(Object.keys(data).length > 0 && { data }),
    ...(texts.length > 0 && { stringData: Object.fromEntries(texts) }),
  }
}

/** A Secret as it is sent: server-side apply does not see that a text and its encoding are one field. */
export function encodedOf(object: JsonMap): JsonMap {
  if (object.kind !== 'Secret' || !isMap(object.stringData)) return object
  const { stringData, data, ...others } = object
  const encoded = Object.entries(stringData).map(([key, text]) => [
    key,
    Buffer.from(String(text)).toString('base64'),
  ])
  return { ...others, data: { ...(isMap(data) ? data : {}), ...Object.fromEntries(encoded) } }
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8')
}
