import { isList, isMap, type Json, type JsonMap } from '../value.ts'
import type { Edited } from '../yaml/edit.ts'
import { toYaml } from '../yaml/output.ts'
import { parseYaml } from '../yaml/parse.ts'
import { sortYaml } from '../yaml/sort.ts'

/** A new file for an object: fields in kubectl's order, which is the alphabet's; JSON if the file is called so. */
export function renderManifest(object: JsonMap, file: string): string {
  const sorted = inOrder(object)
  if (file.endsWith('.json')) return `${JSON.stringify(sorted, null, 2)}\n`
  return toYaml(sorted)
}

/** Puts the fields of a document that somebody wrote in the same order. JSON, which has no comments, is laid out anew. */
export function sortManifest(text: string, { file, document }: { file: string; document: number }): Edited {
  if (!file.endsWith('.json')) return sortYaml(text, document)
  const [only] = parseYaml(text)
  if (only === undefined || only.problems.length > 0) return sortYaml(text, document)
  const indent = /^[\s\ufeff]*\{\r?\n([ \t]+)/.exec(text)?.[1] ?? 2
  return { text: JSON.stringify(inOrder(only.value), null, indent) + (text.endsWith('\n') ? '\n' : '') }
}

function inOrder(value: Json): Json {
  if (isList(value)) return value.map(inOrder)
  if (!isMap(value)) return value
  const names = Object.keys(value).sort()
  return Object.fromEntries(names.map((name) => [name, inOrder(value[name] ?? null)]))
}

/** A text with one more document. */
export function appended(text: string, added: string): string {
  if (text.trim() === '') return text + added
  const newline = text.includes('\r\n') ? '\r\n' : '\n'
  const open = /[\n]$/.test(text) ? '' : newline
  return `${text}${open}---${newline}${added.replaceAll(/\r?\n/g, newline)}`
}
