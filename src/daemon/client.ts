import { request } from 'node:http'
import * as v from 'valibot'
import { errnoOf, KubesyncError, messageOf } from '../errors.ts'
import type { WatchStatus } from './status.ts'
import { watchStatusSchema } from './status-schema.ts'

/** How long a running watch may take to answer, in milliseconds. */
const limit = 5000
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

interface Question<T> {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: unknown
  readonly schema: v.GenericSchema<unknown, T>
}

interface Reply {
  readonly status: number
  readonly text: string
}

const errorSchema = v.object({ code: v.string(), message: v.string(), hint: v.exactOptional(v.string()) })

async function ask<T>(socket: string, question: Question<T>): Promise<T | undefined> {
  const reply = await send(socket, question).catch((error: unknown) => {
    if (['ENOENT', 'ECONNREFUSED', 'ENOTSOCK'].includes(errnoOf(error) ?? '')) return undefined
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

function send(socketPath: string, { method, path, body }: Question<unknown>): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(limit)
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
      reject(signal.aborted ? new Error(`nothing within ${limit / 1000} s`) : error),
    )
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
