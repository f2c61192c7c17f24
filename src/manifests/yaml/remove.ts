import { equal } from '../value.ts'
import type { Edited } from './edit.ts'
import { parseYaml } from './parse.ts'

/**
 * A text without one of its documents, and its other bytes as they are; undefined where nothing is left that anybody would keep a file for.
 * The `---` before it goes with it; of the first, where none is before it, the one behind.
 */
export function withoutDocument(text: string, document: number): Edited | { readonly text: undefined } {
  const documents = parseYaml(text)
  const refused = (reason: string) => ({ refused: { path: [], reason } })
  if (documents.some(({ problems }) => problems.length > 0))
    return refused('something else in it cannot be read')
  const others = documents.filter((_, index) => index !== document)
  if (others.every(({ value }) => value === null)) return { text: undefined }
  const starts = [...text.matchAll(/^---(?=\s|$)[^\n]*(?:\n|$)/gm)]
  const isMarked = /^\uFEFF?(?:[ \t]*(?:[#%][^\n]*)?\n)*---(?=\s|$)/.test(text)
  const own = starts[document - (isMarked ? 0 : 1)]
  const next = starts[document + (isMarked ? 1 : 0)]
  const behind = own === undefined ? (next?.[0].length ?? 0) : 0
  const now = text.slice(0, own?.index ?? 0) + text.slice((next?.index ?? text.length) + behind)
  const left = parseYaml(now)
  const isRight =
    left.length === others.length && left.every(({ value }, index) => equal(value, others[index]?.value))
  return isRight ? { text: now } : refused('its document cannot be told from what is around it')
}
