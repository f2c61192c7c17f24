import { request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import * as v from 'valibot'
import { errnoOf, KubesyncError, messageOf } from '../errors.ts'

/** How long a running watch may take to answer, in milliseconds. */
const limit = 5000
/** For so long a watch that hangs up is asked again, and how often; milliseconds. */
const endingLimit = 2000
const pulse = 50
/** No status is larger; bytes. */
const answerLimit = 64 * 1024 * 1024

/** A request to the local API. */
export interface Question<T> {
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

/** Asks the process behind the socket; undefined if none runs. */
export async function ask<T>(socket: string, question: Question<T>): Promise<T | undefined> {
  const reply = await sendPatiently(socket, question).catch(absent)
  if (reply === undefined) return undefined
  if (reply.status === 200) return understood(question.schema, reply.text)
  throw refusal(reply.text)
}

/** No process runs, or it is one that does not answer. */
export function absent(error: unknown): undefined {
  if (ABSENT.has(errnoOf(error) ?? '')) return undefined
  throw new KubesyncError('WATCH_SILENT', `the running watch does not answer: ${messageOf(error)}`, {
    hint: 'it may be busy: try again; else end it by its pid and start it anew',
    cause: error,
  })
}

/** Why it refused, from its answer. */
export function refusal(text: string): KubesyncError {
  const { code, message, hint } = understood(errorSchema, text)
  return new KubesyncError(code, message, hint === undefined ? {} : { hint })
}

/** Reads an answer, or a line of one; WATCH_MISMATCH if it makes no sense here. */
export function understood<T>(schema: v.GenericSchema<unknown, T>, text: string): T {
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
