import { createReadStream, statSync } from 'node:fs'
import { appendFile, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import * as v from 'valibot'
import { errnoOf } from '../../errors.ts'
import type { Agreed } from '../diff/states.ts'
import { putFile } from '../folder/put.ts'
import { batches } from '../group.ts'
import type { Sealer } from '../secrets/seal.ts'
import { equal, type JsonMap } from '../value.ts'

/** What was agreed on for an object in a file. */
export interface BaseEntry {
  /** The object's name, as `nameOf` has it. */
  readonly name: string
  /** Absolute path of its file. */
  readonly file: string
  readonly agreed: Agreed
  readonly resourceVersion: string
  /** Tells an object from a later one of the same name. */
  readonly uid: string
  /** Whether kubesync wrote it to the cluster: only then may it be pruned. */
  readonly isPushed: boolean
}

/**
 * What file and cluster last agreed on, by object and file, of one cluster: two checkouts of a folder have each their own. A log: an entry
 * replaces those before it. What is damaged is not there, and an object without a base is never taken for changed or deleted.
 */
export interface BaseStore {
  /** By file; an entry of a file that `isThere` denies is found by the object's name alone: it was moved. */
  find(name: string, file: string, isThere: (file: string) => boolean): BaseEntry | undefined
  /** All that are of files below a folder. */
  below(folder: string): BaseEntry[]
  /** Takes over what other processes wrote since. */
  refresh(): Promise<void>
  /** On the disk when it resolves. */
  put(entries: readonly BaseEntry[]): Promise<void>
  forget(entries: readonly Pick<BaseEntry, 'name' | 'file'>[]): Promise<void>
}

const map = v.custom<JsonMap>((value) => typeof value === 'object' && value !== null && !Array.isArray(value))
const contentSchema = v.object({
  local: map,
  /** Null where it is the same. */
  live: v.nullable(map),
  resourceVersion: v.string(),
  uid: v.string(),
  isPushed: v.boolean(),
})

/** Entries stay as text, those of Secrets sealed, until they are asked for: most never are. An empty content forgets. */
interface Line {
  readonly name: string
  readonly file: string
  readonly content: string
}

const keyOf = ({ name, file }: Pick<Line, 'name' | 'file'>) => `${name}\0${file}`
/** The log is written anew when so many of its lines say nothing any more. */
const maxStale = 2000
/** Entries that are written together. */
const batch = 1000

export async function openBase(path: string, sealer: Sealer): Promise<BaseStore> {
  let length = lengthOf(path)
  const { lines, stale, isOpen } = await load(path)
  const files = new Map<string, Set<string>>()
  const index = ({ name, file }: Line) => files.set(name, (files.get(name) ?? new Set()).add(file))
  for (const line of lines.values()) index(line)
  if (isOpen) for (const [key, line] of lines) lines.set(key, closed(line, sealer))
  if (isOpen || stale > maxStale) {
    await putFile(path, [...lines.values()].map(written).join(''), { mode: 0o600 })
    length = lengthOf(path)
  }

  const append = async (added: readonly Line[]) => {
    if (added.length === 0) return
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    // In one write, so that those of two processes do not mix; behind a line that was torn begins a new one.
    const text = `\n${added.map(written).join('')}`
    await appendFile(path, text, { mode: 0o600, flush: true })
    length += Buffer.byteLength(text)
  }
  return {
    find(name, file, isThere) {
      const own = lines.get(keyOf({ name, file }))
      if (own !== undefined) return entryOf(own, sealer)
      const others = [...(files.get(name) ?? [])].flatMap(
        (other) => lines.get(keyOf({ name, file: other })) ?? [],
      )
      const [moved, ...more] = others.filter((other) => !isThere(other.file))
      const entry = moved === undefined || more.length > 0 ? undefined : entryOf(moved, sealer)
      return entry === undefined ? undefined : { ...entry, file }
    },
    below: (folder) =>
      [...lines.values()]
        .filter(({ file }) => file.startsWith(`${folder}/`))
        .flatMap((line) => entryOf(line, sealer) ?? []),
    async refresh() {
      const now = lengthOf(path)
      if (now === length) return
      length = now
      const fresh = await load(path)
      lines.clear()
      for (const [key, line] of fresh.lines) {
        lines.set(key, line)
        index(line)
      }
    },
    async put(entries) {
      for (const some of batches(entries, batch)) {
        const added = some.map((entry) => closed(lineOf(entry), sealer))
        await append(added)
        for (const line of added) {
          lines.set(keyOf(line), line)
          index(line)
        }
      }
    },
    async forget(entries) {
      await append(entries.map(({ name, file }) => ({ name, file, content: '' })))
      for (const entry of entries) lines.delete(keyOf(entry))
    },
  }
}

/** A log only grows, but where it is written anew. In bytes. */
function lengthOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

interface Loaded {
  readonly lines: Map<string, Line>
  readonly stale: number
  /** Whether values of Secrets are in it as they are: so they were kept once. */
  readonly isOpen: boolean
}

async function load(path: string): Promise<Loaded> {
  const lines = new Map<string, Line>()
  let read = 0
  let isOpen = false
  for await (const text of linesOf(path)) {
    if (text === '') continue
    read += 1
    const line = readLine(text)
    if (line === undefined) continue
    isOpen ||= isOpenSecret(line)
    lines.delete(keyOf(line))
    if (line.content !== '') lines.set(keyOf(line), line)
  }
  return { lines, stale: read - lines.size, isOpen }
}

/** The lines of a file, which may be larger than what is kept of it; none if it is not there. */
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = ''
  try {
    for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: 2 ** 20 })) {
      const [first = '', ...lines] = String(chunk).split('\n')
      rest += first
      for (const line of lines) {
        yield rest
        rest = line
      }
    }
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
  yield rest
}

/** A checksum, name, file and content, with tabs between them, which JSON has only escaped. */
function written({ name, file, content }: Line): string {
  const text = [JSON.stringify(name), JSON.stringify(file), content].join('\t')
  return `${crc32(text).toString(16)}\t${text}\n`
}

function readLine(line: string): Line | undefined {
  const [sum = '', name = '', file = '', content] = line.split('\t')
  if (content === undefined || crc32(line.slice(sum.length + 1)).toString(16) !== sum) return undefined
  return { name: String(JSON.parse(name)), file: String(JSON.parse(file)), content }
}

function lineOf({ name, file, agreed, ...rest }: BaseEntry): Line {
  const live = equal(agreed.file, agreed.live) ? null : agreed.live
  return { name, file, content: JSON.stringify({ local: agreed.file, live, ...rest }) }
}

function isOpenSecret({ name, content }: Line): boolean {
  return /^Secret[ .]/.test(name) && content.startsWith('{')
}

function closed(line: Line, sealer: Sealer): Line {
  return isOpenSecret(line) ? { ...line, content: sealer.seal(line.content, keyOf(line)) } : line
}

/** Undefined also for what does not open any more: it counts as never agreed on. */
function entryOf(line: Line, sealer: Sealer): BaseEntry | undefined {
  const { name, file, content } = line
  const text = content.startsWith('{') ? content : sealer.open(content, keyOf(line))
  const read = v.safeParse(contentSchema, text === undefined ? undefined : JSON.parse(text))
  if (!read.success) return undefined
  const { local, live, ...rest } = read.output
  return { name, file, agreed: { file: local, live: live ?? local }, ...rest }
}
