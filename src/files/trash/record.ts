/**
 * What the trash knows of a pass, beyond the files: a header and notes, each a line of JSON. A line begins with its
 * line end, so that one that was cut off spoils no other.
 */
import * as v from 'valibot'
import { badPath } from '../path.ts'
import type { Origin } from '../replica/replica.ts'
import type { Digest, Path } from '../tree.ts'

const reasons = ['deleted', 'replaced', 'undone'] as const
/** `undone`: it gave way to what `undo` brought back. */
export type Reason = (typeof reasons)[number]

export interface Header {
  /** Absolute path of the synced folder. */
  readonly root: string
  /** On whose behalf; absent if nobody said. */
  readonly origin?: Origin | undefined
}

export interface Note {
  readonly path: Path
  readonly why: Reason
  /** When it was taken, in milliseconds since 1970. */
  readonly at: number
  readonly digest?: Digest | undefined
  /** Of a directory that was removed: its `st_mode`. */
  readonly directory?: number | undefined
}

export interface Index {
  readonly header: Header | undefined
  /** By path; the last word counts. */
  readonly notes: ReadonlyMap<Path, Note>
}

const originSchema = v.object({ spec: v.string(), pod: v.string(), container: v.string() })
const headerSchema = v.object({
  version: v.literal(1),
  root: v.string(),
  origin: v.exactOptional(originSchema),
})
const pathSchema = v.pipe(
  v.string(),
  v.check((path) => path !== '' && badPath(path) === undefined),
)
const noteSchema = v.object({
  path: pathSchema,
  why: v.picklist(reasons),
  at: v.pipe(v.number(), v.minValue(0), v.maxValue(8.64e15)),
  digest: v.exactOptional(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
  directory: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(0))),
})
const voidSchema = v.object({ path: pathSchema, why: v.literal('void') })
const lineSchema = v.union([noteSchema, voidSchema, headerSchema])

export function encodeHeader({ root, origin }: Header): Buffer {
  return line({ version: 1, root, ...(origin === undefined ? {} : { origin }) })
}

export function encodeNote({ path, why, at, digest, directory }: Note): Buffer {
  const hex = digest === undefined ? {} : { digest: Buffer.from(digest, 'latin1').toString('hex') }
  return line({ path, why, at, ...hex, ...(directory === undefined ? {} : { directory }) })
}

/** Nothing was taken after all. */
export function encodeVoid(path: Path): Buffer {
  return line({ path, why: 'void' })
}

/** Reads an index, whatever it may have become on disk: lines that are none of ours say nothing. */
export function decodeIndex(text: string): Index {
  let header: Header | undefined
  const notes = new Map<Path, Note>()
  for (const one of text.split('\n')) {
    const said = decodeLine(one)
    if (said === undefined) continue
    if ('version' in said) header ??= said
    else if (said.why === 'void') notes.delete(said.path)
    else
      notes.set(said.path, {
        ...said,
        digest: said.digest && Buffer.from(said.digest, 'hex').toString('latin1'),
      })
  }
  return { header, notes }
}

function decodeLine(text: string): v.InferOutput<typeof lineSchema> | undefined {
  if (text === '') return undefined
  try {
    const said = v.safeParse(lineSchema, JSON.parse(text))
    return said.success ? said.output : undefined
  } catch {
    return undefined
  }
}

function line(data: object): Buffer {
  return Buffer.from(`\n${JSON.stringify(data)}`)
}
