import type { Manifest } from '../folder/documents.ts'
import { renderManifest } from '../folder/render.ts'
import type { JsonMap } from '../value.ts'
import { editYaml } from '../yaml/edit.ts'
import { toYaml } from '../yaml/output.ts'
import { parseYaml } from '../yaml/parse.ts'
import { sortYaml } from '../yaml/sort.ts'
import type { Clean } from './sanitize.ts'

/** An object of a text, and what is left of it. */
export interface Cleaned extends Clean {
  readonly manifest: Manifest
}

/**
 * A text of manifests as it is without what was removed, each in a document of its own. Comments and all else of YAML stay; what cannot be
 * edited (JSON, the items of a List, aliases) is written anew.
 */
export function withoutRemoved(
  text: string,
  cleaned: readonly Cleaned[],
  { file, sorts }: { file: string; sorts: boolean },
): string {
  const rendered = (object: JsonMap) => {
    if (sorts) return renderManifest(object, file)
    return file.endsWith('.json') ? `${JSON.stringify(object, null, 2)}\n` : toYaml(object)
  }
  if (file.endsWith('.json')) return cleaned.map(({ object }) => rendered(object)).join('')
  const documents = documentsOf(text)
  const parts = cleaned.map(({ manifest, object, removed }) => {
    if (manifest.at.length > 0) return rendered(object)
    const operations = removed.map(({ gone }) => ({ op: 'remove', path: gone }) as const)
    const edited = editYaml(documents[manifest.document] ?? '', 0, operations)
    const done = 'text' in edited && sorts ? sortYaml(edited.text, 0) : edited
    return 'text' in done ? done.text : rendered(object)
  })
  return parts.map((part) => (part.endsWith('\n') ? part : `${part}\n`)).join('---\n')
}

/** The texts of a text's documents, without the marks between them. */
function documentsOf(text: string): string[] {
  return parseYaml(text).map(({ node }, index) => {
    const [start, , end] = node.range
    const own = text.slice(index === 0 ? 0 : start, end).replace(/^\.\.\.\s*$/m, '')
    return index === 0 ? own : own.replace(/^---[ \t]*\r?\n?/, '')
  })
}
