import { request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import * as v from 'valibot'
import { errnoOf, KubesyncError, messageOf } from '../errors.ts'
import type { Keep } from '../files/conflicts.ts'
import type { MergedText, MergedVersions } from '../files/merging.ts'
import type { BoundConflict, Spot } from './settle.ts'
import type { Reloaded, WatchStatus } from './status.ts'
import { boundConflictSchema, reloadedSchema, watchStatusSchema } from './status-schema.ts'

/** How long a running watch may take to answer, in milliseconds; where it has to read files, longer. */
const limit = 5000
const patientLimit = 120_000
/** For so long a watch that hangs up is asked again, and how often; milliseconds. */
const endingLimit = 2000
const pulse = 50
/** No status is larger; bytes. */
const answerLimit = 64 * 1024 * 1024

/** What the watch behind the socket does; undefined if none runs. */
export async function askStatus(socket: string): Promise<WatchStatus | undefined> {
  return ask(socket, { method: 'GET', path: '/status', schema: watchStatusSchema })
}

/** Asks the watch to end; its pid, or undefined if none runs. It may take some seconds to end. */
export async function askStop(socket: string): Promise<number | undefined> {
  const schema = v.object({ pid: v.number() })
  return (await ask(socket, { method: 'POST', path: '/stop', schema }))?.pid
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

interface Question<T> {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: unknown
  readonly schema: v.GenericSchema<unknown, T>
  readonly limitMs?: number
}

interface Reply {
  readonly status: number
  readonly text: string
}

const errorSchema = v.object({ code: v.string(), message: v.string(), hint: v.exactOptional(v.string()) })

/** No watch runs. */
const ABSENT = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTSOCK'])
/** It hung up before it answered. */
const HUNG_UP = new Set(['ECONNRESET', 'EPIPE'])

async function ask<T>(socket: string, question: Question<T>): Promise<T | undefined> {
  const reply = await sendPatiently(socket, question).catch((error: unknown) => {
    if (ABSENT.has(errnoOf(error) ?? '')) return undefined
    throw new KubesyncError('WATCH_SILENT', `the running watch does not answer: ${messageOf(error)}`, {
      hint: 'it may be busy: try again; else end it by its pid and start it anew',
      cause: error,
    })
  })
  if (reply === undefined) return undefined
  if (reply.status === 200) return understood(question.schema, reply.text)
  const { code, message, hint } = understood(errorSchema, reply.text)
  throw new KubesyncError(code, message, hint === undefined ? {} : { hint })
}

function understood<T>(schema: v.GenericSchema<unknown, T>, text: string): T {
  try {
    return v.parse(schema, JSON.parse(text))
  } catch (error) {
    throw new KubesyncError('WATCH_MISMATCH', 'the running watch is of another version of kubesync', {
      hint: 'end it with `ksync watch --stop`, and start it anew',
      cause: error,
    })
  }
}

/**
 * A watch that is ending may still have its socket, or the system may have it for a watch that has ended: who calls
 * then is cut off. A moment later there is none, or another one; to be asked twice harms neither.
 */
async function sendPatiently(socket: string, question: Question<unknown>): Promise<Reply> {
  const until = performance.now() + endingLimit
  for (;;) {
    try {
      return await send(socket, question)
    } catch (error) {
      if (!HUNG_UP.has(errnoOf(error) ?? '') || performance.now() > until) throw error
    }
    await delay(pulse)
  }
}

function send(
  socketPath: string,
  { method, path, body, limitMs = limit }: Question<unknown>,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(limitMs)
    const sent = request({ socketPath, method, path, signal, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
        if (text.length > answerLimit) sent.destroy(new Error('its answer is too long'))
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    sent.on('error', (error) =>
      reject(signal.aborted ? new Error(`nothing within ${limitMs / 1000} s`) : error),
    )
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
