import { randomUUID } from 'node:crypto'
import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import * as v from 'valibot'
import { errnoOf } from '../../errors.ts'
import { hidden, isHidden } from '../secrets/hide.ts'
import type { Sealer } from '../secrets/seal.ts'
import type { Json } from '../value.ts'

/** What is about to be written, to the cluster or to a file. */
export interface Write {
  readonly where: 'cluster' | 'file'
  readonly context: string
  readonly server: string
  /** The names of the objects, as `nameOf` has them. */
  readonly resources: readonly string[]
  /** Absolute path; for the cluster, of the file that it comes from. */
  readonly file: string
  /** An object, or a file's text; null for nothing. */
  readonly before: Json
  readonly after: Json
  /** Whether all writes of the operation are to be made, or none of them. */
  readonly isOneStep?: boolean
}

/** What writes belong to. */
export interface Operation {
  /** The same for all writes of one command, or of one step of it. */
  readonly operation: string
  /** The words of the command line; values of Secrets are left out. */
  readonly command: string
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
  /** As they were, but for the values of Secrets. */
  before: v.unknown(),
  after: v.unknown(),
  /** Both with the values of Secrets, sealed. */
  sealed: v.optional(v.string()),
  /** Entries of older versions have none of these. */
  isOneStep: v.optional(v.boolean(), false),
  operation: v.optional(v.string(), ''),
  command: v.optional(v.string(), ''),
})

const outcomeSchema = v.object({
  id: v.string(),
  outcome: v.picklist(['done', 'failed']),
  reason: v.string(),
})

const openedSchema = v.object({ before: v.unknown(), after: v.unknown() })

/** A write as it was recorded; `begun` where nobody knows how it ended. */
export type JournalEntry = Omit<v.InferOutput<typeof entrySchema>, 'sealed'> & {
  readonly outcome: 'begun' | 'done' | 'failed'
  readonly reason: string
  /** Whether values of Secrets are left out of `before` and `after`. */
  readonly isHidden: boolean
}

/** What becomes of the values of Secrets: they are kept so that only we can read them, or not at all. */
export type SecretsPolicy = 'encrypt' | 'leave-out'

interface Keeping {
  readonly secrets: SecretsPolicy
  readonly sealer: Sealer
  /** The words of the command line that what is written belongs to. */
  readonly command?: string | undefined
}

/** What was written to files and clusters: on the disk before it happens. */
export interface Journal {
  /** Records writes that are about to be made, as part of the journal's own operation unless said; their ids, in their order. */
  begin(writes: readonly Write[], operation?: Operation): Promise<string[]>
  /** Records how they ended; `reason` is empty where they succeeded. */
  end(results: readonly { readonly id: string; readonly reason: string }[]): Promise<void>
  /** Oldest first; what cannot be read of it is left out. */
  read(): Promise<JournalEntry[]>
}

/** Where the journal is, below the folder of kubesync's state. */
export function journalIn(state: string): string {
  return join(state, 'manifests', 'journal')
}

/** Without a way to keep them, values of Secrets are neither written nor read. */
export function openJournal(path: string, keeping?: Keeping): Journal {
  const own = newOperation(keeping?.command ?? '')
  const append = async (records: readonly object[]) => {
    if (records.length === 0) return
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const lines = records.map((record) => `${JSON.stringify(record)}\n`)
    await appendFile(path, `\n${lines.join('')}`, { mode: 0o600, flush: true })
  }
  return {
    async begin(writes, operation = own) {
      const about = { at: new Date().toISOString(), who: userInfo().username, ...operation }
      const records = writes.map((write) => ({ id: randomUUID(), ...about, ...write }))
      await append(records.map((record) => ({ ...record, ...kept(record, keeping) })))
      return records.map(({ id }) => id)
    },
    end: (results) =>
      append(results.map(({ id, reason }) => ({ id, outcome: reason === '' ? 'done' : 'failed', reason }))),
    read: () => readJournal(path, keeping?.sealer),
  }
}

export function newOperation(command: string): Operation {
  return { operation: randomUUID(), command }
}

function kept({ id, before, after }: Write & { readonly id: string }, keeping: Keeping | undefined) {
  const shown = { before: hidden(before), after: hidden(after) }
  const isWhole = shown.before === before && shown.after === after
  if (isWhole || keeping?.secrets !== 'encrypt') return shown
  return { ...shown, sealed: keeping.sealer.seal(JSON.stringify({ before, after }), id) }
}

async function readJournal(path: string, sealer: Sealer | undefined): Promise<JournalEntry[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return ''
    throw error
  })
  const entries = new Map<string, JournalEntry>()
  for (const line of text.split('\n')) {
    const record = parsed(line)
    const begun = v.safeParse(entrySchema, record)
    const ended = v.safeParse(outcomeSchema, record)
    if (begun.success)
      entries.set(begun.output.id, { ...opened(begun.output, sealer), outcome: 'begun', reason: '' })
    const entry = ended.success ? entries.get(ended.output.id) : undefined
    if (entry !== undefined && ended.success) entries.set(entry.id, { ...entry, ...ended.output })
  }
  return [...entries.values()]
}

function opened({ sealed, ...entry }: v.InferOutput<typeof entrySchema>, sealer: Sealer | undefined) {
  const text = sealed === undefined ? undefined : sealer?.open(sealed, entry.id)
  const values = v.safeParse(openedSchema, text === undefined ? undefined : parsed(text))
  if (values.success) return { ...entry, ...values.output, isHidden: false }
  return { ...entry, isHidden: sealed !== undefined || isHidden(entry.before) || isHidden(entry.after) }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
