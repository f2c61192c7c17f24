import * as v from 'valibot'
import type { Keep } from '../files/conflicts.ts'
import type { MergedText, MergedVersions } from '../files/merging.ts'
import { ask } from './ask.ts'
import { requestOf, type Work } from './join.ts'
import type { KeepPlace } from './keeps/order.ts'
import type { BoundConflict, Spot } from './settle.ts'
import type { Reloaded, WatchStatus } from './status.ts'
import { boundConflictSchema, reloadedSchema, watchStatusSchema } from './status-schema.ts'

/** How long a process may take that has to read files, in milliseconds. */
const patientLimit = 120_000

/** What the watch behind the socket does; undefined if none runs. */
export async function askStatus(socket: string): Promise<WatchStatus | undefined> {
  return ask(socket, { method: 'GET', path: '/status', schema: watchStatusSchema })
}

const stoppedSchema = v.object({
  pid: v.number(),
  isDone: v.exactOptional(v.boolean(), true),
  goesOn: v.exactOptional(v.boolean(), false),
  ended: v.exactOptional(v.array(v.string()), []),
})

/** What came of asking to end. */
export interface Stopped {
  readonly pid: number
  /** Whether there was anything of the kind under way. */
  readonly isDone: boolean
  /** Whether the process has something else to do; if not it ends, which may take some seconds. */
  readonly goesOn: boolean
  /** The folders of manifests that were kept in step. */
  readonly ended: readonly string[]
}

/** What is to end: the syncing of specs, or the keeping of folders of manifests, or of one. */
export type Stop = { readonly what: 'specs' } | { readonly what: 'keeps'; readonly folder?: string }

/** Asks for an end; undefined if no process runs. */
export async function askStop(socket: string, stop: Stop): Promise<Stopped | undefined> {
  return ask(socket, { method: 'POST', path: '/stop', body: stop, schema: stoppedSchema })
}

/**
 * Lets the halted sessions of a spec go on; how many there were, or undefined if no watch runs. Rejects with
 * NO_SUCH_SPEC.
 */
export async function askResume(socket: string, spec: string): Promise<number | undefined> {
  const schema = v.object({ resumed: v.number() })
  return (await ask(socket, { method: 'POST', path: '/resume', body: { spec }, schema }))?.resumed
}

/** Reloads the containers of a spec; what came of it, or undefined if no watch runs. Rejects with NO_RELOAD. */
export async function askReload(socket: string, spec: string): Promise<Reloaded[] | undefined> {
  const schema = v.object({ reloaded: v.array(reloadedSchema) })
  const question = { method: 'POST', path: '/reload', body: { spec }, schema, limitMs: patientLimit } as const
  return (await ask(socket, question))?.reloaded
}

/** The conflicts of a spec, in all of its containers; undefined if no watch runs. Rejects with NO_SUCH_SPEC. */
export async function askConflicts(socket: string, spec: string): Promise<BoundConflict[] | undefined> {
  const schema = v.object({ conflicts: v.array(boundConflictSchema) })
  const question = {
    method: 'POST',
    path: '/conflicts',
    body: { spec },
    schema,
    limitMs: patientLimit,
  } as const
  return (await ask(socket, question))?.conflicts
}

/** Where a person points to. */
interface SpotOfSpec extends Spot {
  readonly spec: string
}

/** Settles conflicts at a path; in how many containers, or undefined if no watch runs. */
export async function askResolve(socket: string, spot: SpotOfSpec, keep: Keep): Promise<number | undefined> {
  const schema = v.object({ resolved: v.number() })
  const body = { ...spot, keep }
  const question = { method: 'POST', path: '/resolve', body, schema, limitMs: patientLimit } as const
  return (await ask(socket, question))?.resolved
}

/** What both versions of a text merge to; undefined if no watch runs. Rejects with NOT_MERGED, saying why. */
export async function askMerge(socket: string, spot: SpotOfSpec): Promise<MergedText | undefined> {
  const versions = v.object({ local: v.string(), remote: v.string() })
  const schema = v.object({ content: v.string(), versions })
  const question = { method: 'POST', path: '/merge', body: spot, schema, limitMs: patientLimit } as const
  const answer = await ask(socket, question)
  return answer && { content: Buffer.from(answer.content, 'base64'), versions: answer.versions }
}

/** Puts the merge of these versions into both places; false if no watch runs. */
export async function askMerged(
  socket: string,
  spot: SpotOfSpec,
  versions: MergedVersions,
): Promise<boolean> {
  const question = {
    method: 'POST',
    path: '/merged',
    body: { ...spot, versions },
    schema: v.object({}),
  } as const
  return (await ask(socket, { ...question, limitMs: patientLimit })) !== undefined
}

/** A file as a container has it; undefined if no watch runs. */
export async function askContent(socket: string, spot: SpotOfSpec): Promise<Buffer | undefined> {
  const schema = v.object({ content: v.string() })
  const question = { method: 'POST', path: '/content', body: spot, schema, limitMs: patientLimit } as const
  const answer = await ask(socket, question)
  return answer && Buffer.from(answer.content, 'base64')
}

/** Settles a conflict, or a deletion that waits, of a folder of manifests; false if nothing runs. */
export async function askSettle(
  socket: string,
  settling: KeepPlace & { readonly id: string; readonly keep: 'local' | 'remote' },
): Promise<boolean> {
  const { folder, server, id, keep } = settling
  const body = { folder, server, id, keep }
  const question = {
    method: 'POST',
    path: '/settle',
    body,
    schema: v.object({}),
    limitMs: patientLimit,
  } as const
  return (await ask(socket, question)) !== undefined
}

const takerSchema = v.object({ pid: v.number(), log: v.exactOptional(v.string()) })

/** A process that does what it was asked, and its log if that is a file. */
export type Taker = v.InferOutput<typeof takerSchema>

/** Leaves work to the running process for good; undefined if none runs. Rejects as `Watch.sync` and `Watch.keep` do. */
export async function askToTake(socket: string, work: Work): Promise<Taker | undefined> {
  const { path, body } = requestOf(work, true)
  return ask(socket, { method: 'POST', path, body, schema: takerSchema, limitMs: patientLimit })
}
