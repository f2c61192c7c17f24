import type { Shape } from '../diff/shape.ts'
import { operationsFor, type Wish } from '../diff/take.ts'
import { type Manifest, readOne } from '../folder/documents.ts'
import { appended, renderManifest } from '../folder/render.ts'
import { identityFrom } from '../order/references.ts'
import { isMap } from '../value.ts'
import { editYaml } from '../yaml/edit.ts'
import { withoutDocument } from '../yaml/remove.ts'
import { changesOf } from './changes.ts'
import { undone } from './invert.ts'

/** A write of a file. Without a text the file is not there. */
export interface TextStep {
  readonly before: string | undefined
  readonly after: string | undefined
  /** What of it is to be taken back, by the names of objects. */
  readonly ids: readonly string[]
  /** Whether that is all of it. */
  readonly isWhole: boolean
}

/** What takes writes of a file back. */
export interface TextInverse {
  readonly text: string | undefined
  /** By the names of objects: what somebody else changed since. */
  readonly disputed: ReadonlyMap<string, readonly Wish[]>
  readonly refused: ReadonlyMap<string, string>
}

/** Of an object in a file: its shape, and the name of the file, whose ending says how it is written. */
export interface TextContext {
  readonly file: string
  shapeOf(id: string): Shape
}

/**
 * Takes writes back in a file, the last of which comes first: byte for byte where the file is what was left, else by object and field. What
 * has another text than was left is not removed: somebody may have written something into it.
 */
export function invertText(
  now: string | undefined,
  steps: readonly TextStep[],
  context: TextContext,
): TextInverse {
  const disputed = new Map<string, readonly Wish[]>()
  const refused = new Map<string, string>()
  let text = now
  for (const { before, after, ids, isWhole } of steps) {
    if (isWhole && text === after) {
      text = before
      continue
    }
    for (const id of ids) {
      const [was, left, here] = [before, after, text].map((one) => findIn(one, id))
      // It may still be there: nobody can tell, and it would be in it twice.
      if (here === undefined && left !== undefined && hasMistake(text)) {
        refused.set(id, `${context.file} has a mistake in it: mend that first`)
        continue
      }
      const step = { before: was?.object, after: left?.object, isExact: true }
      const { clear, open } = undone(here?.object, step, context.shapeOf(id))
      const isEdited =
        clear.some(({ path, value }) => path.length === 0 && value === undefined) &&
        sourceOf(text, here) !== sourceOf(after, left)
      if (open.length > 0 || isEdited) disputed.set(id, [...open, ...(isEdited ? clear : [])])
      const edited = isEdited
        ? { text }
        : editObject(text, { id, wishes: clear, source: sourceOf(before, was) }, context)
      if ('refused' in edited) refused.set(id, edited.refused)
      else text = edited.text
    }
  }
  return { text, disputed, refused }
}

/** What is wished for an object in a file. */
export interface ObjectEdit {
  readonly id: string
  readonly wishes: readonly Wish[]
  /** The text of its document, where it is to be there again. */
  readonly source?: string | undefined
}

type Edit = { readonly text: string | undefined } | { readonly refused: string }

/** A text with what is wished for an object in it, or why it cannot be written; none where nothing is left in it. */
export function editObject(
  text: string | undefined,
  { id, wishes, source }: ObjectEdit,
  { file, shapeOf }: TextContext,
): Edit {
  if (wishes.length === 0) return { text }
  const here = findIn(text, id)
  const whole = wishes.find(({ path }) => path.length === 0)
  if (here === undefined) {
    if (whole === undefined) return { refused: 'the file does not have it any more' }
    if (!isMap(whole.value)) return { text }
    if (file.endsWith('.json') && text !== undefined) return { refused: `${file} is there already` }
    return { text: appended(text ?? '', source ?? renderManifest(whole.value, file)) }
  }
  if (whole !== undefined && !isMap(whole.value)) return taken(text ?? '', here)
  const shape = shapeOf(id)
  const fields = isMap(whole?.value) ? changesOf(here.object, whole.value, shape) : wishes
  const operations = operationsFor(here.object, fields, shape).map((one) => ({
    ...one,
    path: [...here.at, ...one.path],
  }))
  const edited = editYaml(text ?? '', here.document, operations)
  return 'text' in edited ? edited : { refused: edited.refused.reason }
}

/** An object in a text; a namespace that is not written down is the one that is meant. */
export function findIn(text: string | undefined, id: string): Manifest | undefined {
  if (text === undefined) return undefined
  const wanted = identityFrom(id)
  const all = manifestsIn(text).filter(
    ({ identity: { group, kind, name } }) =>
      group === wanted.group && kind === wanted.kind && name === wanted.name,
  )
  const spaces = [wanted.namespace, undefined]
  return spaces.flatMap((space) => all.filter(({ identity }) => identity.namespace === space))[0]
}

/** Of many objects of one file, each is looked for in the same few texts. */
const few = 4
const parsed = new Map<string, readonly Manifest[]>()

function manifestsIn(text: string): readonly Manifest[] {
  const found = parsed.get(text) ?? readOne({ path: '', text }).manifests
  const [oldest] = parsed.keys()
  if (oldest !== undefined && parsed.size >= few) parsed.delete(oldest)
  parsed.delete(text)
  parsed.set(text, found)
  return found
}

function hasMistake(text: string | undefined): boolean {
  return text !== undefined && readOne({ path: '', text }).remarks.some(({ isProblem }) => isProblem)
}

/** The text of the document that is an object. */
export function sourceIn(text: string | undefined, id: string): string | undefined {
  return sourceOf(text, findIn(text, id))
}

/** The text of a document, without the line that begins it. */
function sourceOf(text: string | undefined, found: Manifest | undefined): string | undefined {
  if (text === undefined || found === undefined || found.at.length > 0) return undefined
  return segmentsOf(text)[found.document]?.replace(/^---[ \t]*\r?\n/, '')
}

function taken(text: string, { document, at }: Manifest): Edit {
  const edited =
    at.length > 0 ? editYaml(text, document, [{ op: 'remove', path: at }]) : withoutDocument(text, document)
  return 'refused' in edited ? { refused: edited.refused.reason } : edited
}

/** Documents with the lines that begin them; comments before the first of those lines belong to it. */
function segmentsOf(text: string): string[] {
  const marks = [...text.matchAll(/^---(?=\s|$)/gm)].map(({ index }) => index)
  const isHead = /^(\s*(#[^\n]*)?\n)*$/.test(text.slice(0, marks[0] ?? 0))
  const starts = [0, ...(isHead ? marks.slice(1) : marks)]
  return starts.map((start, index) => text.slice(start, starts[index + 1]))
}
