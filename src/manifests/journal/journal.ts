import { randomUUID } from 'node:crypto'
import { appendFile, mkdir } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import * as v from 'valibot'
import { hidden, isHidden } from '../secrets/hide.ts'
import type { Sealer } from '../secrets/seal.ts'
import type { Json } from '../value.ts'
import { type DoneOperation, operationsOf } from './operations.ts'
import { closeSegment, forgetSegments, forgottenIn, readSegments, setForgotten } from './segments.ts'
import { operationsIn, type UnderWay } from './under-way.ts'

/** What is about to be written, to the cluster or to a file. */
export interface Write {
  readonly where: 'cluster' | 'file'
  readonly context: string
  readonly server: string
  /** The names of the objects, as `nameOf` has them. */
  readonly resources: readonly string[]
  /** Absolute path; for the cluster, of the file that it comes from, or empty if no file has it. */
  readonly file: string
  /** An object, or a file's text; null for nothing. */
  readonly before: Json
  readonly after: Json
  /** Whether all writes of the operation are to be made, or none of them. */
  readonly isOneStep?: boolean
  /** The ids of writes that this one takes back. */
  readonly reverts?: readonly string[]
}

/** How a write ended. */
export interface Ending {
  readonly id: string
  /** Empty where it succeeded. */
  readonly reason: string
  /** What it left in the cluster, clean, which is more than what was sent. */
  readonly left?: { readonly object: Json; readonly uid: string } | undefined
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
  reverts: v.optional(v.array(v.string()), () => []),
})

const outcomeSchema = v.object({
  id: v.string(),
  outcome: v.picklist(['done', 'failed']),
  reason: v.string(),
  /** As it was left, but for the values of Secrets; with them, sealed. */
  after: v.optional(v.unknown()),
  sealed: v.optional(v.string()),
  uid: v.optional(v.string(), ''),
})

const openedSchema = v.object({ before: v.unknown(), after: v.unknown() })

/** A write as it was recorded; `begun` where nobody knows how it ended. */
export type JournalEntry = Omit<v.InferOutput<typeof entrySchema>, 'sealed'> & {
  readonly outcome: 'begun' | 'done' | 'failed'
  readonly reason: string
  /** Whether values of Secrets are left out of `before` and `after`. */
  readonly isHidden: boolean
  /** Whether `after` is what was there afterwards; else it is what was sent. */
  readonly isExact: boolean
  /** Of the object in the cluster, if it is known. */
  readonly uid: string
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
  /** Records how they ended. */
  end(endings: readonly Ending[]): Promise<void>
  /** Oldest first; what cannot be read of it is left out. */
  read(): Promise<JournalEntry[]>
  /** What it has of operations, oldest first. */
  operations(): Promise<DoneOperation[]>
  /** The operations that are to be made as one step, and of which not all writes ended. */
  readonly underWay: UnderWay
}

/** Where the journal is, below the folder of kubesync's state. */
export function journalIn(state: string): string {
  return join(state, 'manifests', 'journal')
}

/** Without a way to keep them, values of Secrets are neither written nor read. */
export function openJournal(path: string, keeping?: Keeping): Journal {
  const own = newOperation(keeping?.command ?? '')
  const underWay = operationsIn(`${path}.under-way`)
  const open = new Map<string, string>()
  const append = async (records: readonly object[]) => {
    if (records.length === 0) return
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const lines = records.map((record) => `${JSON.stringify(record)}\n`)
    await appendFile(path, `\n${lines.join('')}`, { mode: 0o600, flush: true })
  }
  return {
    async begin(writes, operation = own) {
      if (closeSegment(path)) await forget(path)
      const about = { at: new Date().toISOString(), who: userInfo().username, ...operation }
      const records = writes.map((write) => ({ id: randomUUID(), ...about, ...write }))
      const inOneStep = records.filter(({ isOneStep }) => isOneStep === true)
      if (inOneStep.length > 0) underWay.open(operation.operation)
      for (const { id } of inOneStep) open.set(id, operation.operation)
      await append(records.map((record) => ({ ...record, ...kept(record, keeping) })))
      return records.map(({ id }) => id)
    },
    async end(endings) {
      await append(endings.map((ending) => ended(ending, keeping)))
      const touched = new Set(endings.flatMap(({ id }) => open.get(id) ?? []))
      for (const { id } of endings) open.delete(id)
      const left = new Set(open.values())
      for (const operation of touched) if (!left.has(operation)) underWay.close(operation)
    },
    underWay,
    read: () => readJournal(path, keeping?.sealer),
    operations: async () => operationsOf(await readJournal(path, keeping?.sealer), await forgottenIn(path)),
  }
}

/** Lets go of what is old or too much, but for what somebody still has to finish or to undo. */
async function forget(path: string): Promise<void> {
  const before = await readJournal(path, undefined)
  const open = before.filter(({ isOneStep, outcome }) => isOneStep && outcome === 'begun')
  await forgetSegments(path, (text) => open.some(({ id }) => text.includes(id)))
  const after = operationsOf(await readJournal(path, undefined))
  const gone = operationsOf(before).length - after.length
  if (gone > 0) await setForgotten(path, (await forgottenIn(path)) + gone)
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

function ended({ id, reason, left }: Ending, keeping: Keeping | undefined) {
  const how = { id, outcome: reason === '' ? 'done' : 'failed', reason }
  if (left === undefined) return how
  const after = hidden(left.object)
  const isSealed = after !== left.object && keeping?.secrets === 'encrypt'
  const sealed = isSealed ? keeping.sealer.seal(JSON.stringify(left.object), endOf(id)) : undefined
  return { ...how, after, sealed, uid: left.uid }
}

/** What the end of a write is sealed about: its beginning is sealed about its id. */
function endOf(id: string): string {
  return `${id} ended`
}

async function readJournal(path: string, sealer: Sealer | undefined): Promise<JournalEntry[]> {
  const text = await readSegments(path)
  const entries = new Map<string, JournalEntry>()
  for (const line of text.split('\n')) {
    const record = parsed(line)
    const begun = v.safeParse(entrySchema, record)
    if (begun.success) entries.set(begun.output.id, opened(begun.output, sealer))
    const end = v.safeParse(outcomeSchema, record)
    const entry = end.success ? entries.get(end.output.id) : undefined
    if (entry !== undefined && end.success) entries.set(entry.id, closed(entry, end.output, sealer))
  }
  return [...entries.values()]
}

function opened(
  { sealed, ...entry }: v.InferOutput<typeof entrySchema>,
  sealer: Sealer | undefined,
): JournalEntry {
  const text = sealed === undefined ? undefined : sealer?.open(sealed, entry.id)
  const values = v.safeParse(openedSchema, text === undefined ? undefined : parsed(text))
  const shown = values.success ? values.output : entry
  const isClosed = !values.success && (isHidden(entry.before) || isHidden(entry.after))
  const isExact = entry.where === 'file' || shown.after === null
  return { ...entry, ...shown, outcome: 'begun', reason: '', isHidden: isClosed, isExact, uid: '' }
}

function closed(
  entry: JournalEntry,
  { outcome, reason, after, sealed, uid }: v.InferOutput<typeof outcomeSchema>,
  sealer: Sealer | undefined,
): JournalEntry {
  if (after === undefined) return { ...entry, outcome, reason, uid }
  const text = sealed === undefined ? undefined : sealer?.open(sealed, endOf(entry.id))
  const whole = text === undefined ? after : parsed(text)
  const isClosed = entry.isHidden || (text === undefined && isHidden(after))
  return { ...entry, outcome, reason, after: whole, isHidden: isClosed, isExact: true, uid }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
