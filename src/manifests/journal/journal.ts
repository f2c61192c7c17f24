import { randomUUID } from 'node:crypto'
import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import * as v from 'valibot'
import { errnoOf } from '../../errors.ts'
import { isMap, type Json, type JsonMap } from '../value.ts'

/** What is about to be written, to the cluster or to a file. */
export interface Write {
  readonly where: 'cluster' | 'file'
  readonly context: string
  readonly server: string
  /** The names of the objects, as `nameOf` has them. */
  readonly resources: readonly string[]
  /** Absolute path; for the cluster, of the file that it comes from. */
  readonly file: string
  /** An object, or a file's text; null for nothing. Values of Secrets are left out. */
  readonly before: Json
  readonly after: Json
}

const entrySchema = v.object({
  id: v.string(),
  /** ISO 8601. */
  at: v.string(),
  /** The user of this machine. */
  who: v.string(),
  where: v.picklist(['cluster', 'file']),
  context: v.string(),
  server: v.string(),
  resources: v.array(v.string()),
  file: v.string(),
  before: v.unknown(),
  after: v.unknown(),
})

const outcomeSchema = v.object({
  id: v.string(),
  outcome: v.picklist(['done', 'failed']),
  reason: v.string(),
})

/** A write as it was recorded; `begun` where nobody knows how it ended. */
export type JournalEntry = v.InferOutput<typeof entrySchema> & {
  readonly outcome: 'begun' | 'done' | 'failed'
  readonly reason: string
}

/** What was written to files and clusters: on the disk before it happens. */
export interface Journal {
  /** Records writes that are about to be made; their ids, in their order. */
  begin(writes: readonly Write[]): Promise<string[]>
  /** Records how they ended; `reason` is empty where they succeeded. */
  end(results: readonly { readonly id: string; readonly reason: string }[]): Promise<void>
  /** Oldest first; what cannot be read of it is left out. */
  read(): Promise<JournalEntry[]>
}

/** Where the journal is, below the folder of kubesync's state. */
export function journalIn(state: string): string {
  return join(state, 'manifests', 'journal')
}

export function openJournal(path: string): Journal {
  const append = async (records: readonly object[]) => {
    if (records.length === 0) return
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const lines = records.map((record) => `${JSON.stringify(record)}\n`)
    await appendFile(path, `\n${lines.join('')}`, { mode: 0o600, flush: true })
  }
  return {
    async begin(writes) {
      const about = { at: new Date().toISOString(), who: userInfo().username }
      const records = writes.map((write) => ({ id: randomUUID(), ...about, ...write }))
      await append(records)
      return records.map(({ id }) => id)
    },
    end: (results) =>
      append(results.map(({ id, reason }) => ({ id, outcome: reason === '' ? 'done' : 'failed', reason }))),
    read: () => readJournal(path),
  }
}

async function readJournal(path: string): Promise<JournalEntry[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return ''
    throw error
  })
  const entries = new Map<string, JournalEntry>()
  for (const line of text.split('\n')) {
    const record = parsed(line)
    const begun = v.safeParse(entrySchema, record)
    const ended = v.safeParse(outcomeSchema, record)
    if (begun.success) entries.set(begun.output.id, { ...begun.output, outcome: 'begun', reason: '' })
    const entry = ended.success ? entries.get(ended.output.id) : undefined
    if (entry !== undefined && ended.success) entries.set(entry.id, { ...entry, ...ended.output })
  }
  return [...entries.values()]
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** An object as the journal keeps it: without the values of a Secret. */
export function withoutSecrets(object: JsonMap): JsonMap {
  if (object.kind !== 'Secret') return object
  const hide = (values: Json | undefined) =>
    isMap(values) ? Object.fromEntries(Object.keys(values).map((key) => [key, '(left out)'])) : undefined
  const [data, stringData] = [hide(object.data), hide(object.stringData)]
  return { ...object, ...(data && { data }), ...(stringData && { stringData }) }
}
