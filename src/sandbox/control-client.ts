import { request } from 'node:http'
import * as v from 'valibot'
import { errnoOf, KubesyncError, messageOf } from '../errors.ts'
import type { FaultRequest, SandboxStatus } from './control.ts'

/** How long a running sandbox may take to answer, in milliseconds. */
const limit = 5000
const statusSchema = v.object({
  pid: v.number(),
  version: v.string(),
  kubeconfig: v.string(),
  server: v.string(),
  startedAt: v.string(),
  nodes: v.array(v.object({ name: v.string(), ready: v.boolean(), pods: v.number() })),
  pods: v.object({ running: v.number(), total: v.number() }),
  faults: v.array(v.string()),
})
const downSchema = v.object({ pid: v.number() })
const faultSchema = v.object({ result: v.unknown() })
const errorSchema = v.object({ code: v.string(), message: v.string(), hint: v.optional(v.string()) })

/** What the sandbox behind a control socket does; undefined if none runs. */
export function askStatus(socket: string): Promise<SandboxStatus | undefined> {
  return ask(socket, { method: 'GET', path: '/status', schema: statusSchema })
}

/** Asks the sandbox to end; its pid, or undefined if none runs. It may take some seconds. */
export async function askDown(socket: string): Promise<number | undefined> {
  return (await ask(socket, { method: 'POST', path: '/down', schema: downSchema }))?.pid
}

/** Makes something go wrong in the sandbox; what came of it. */
export async function askFault(socket: string, fault: FaultRequest): Promise<unknown> {
  const answer = await ask(socket, { method: 'POST', path: '/faults', body: fault, schema: faultSchema })
  if (answer === undefined) throw new KubesyncError('NO_SANDBOX', `no sandbox answers at ${socket}`)
  return answer.result
}

interface Question<T> {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: unknown
  readonly schema: v.GenericSchema<unknown, T>
}

async function ask<T>(socket: string, question: Question<T>): Promise<T | undefined> {
  const reply = await send(socket, question).catch((error: unknown) => {
    if (['ENOENT', 'ECONNREFUSED', 'ENOTSOCK'].includes(errnoOf(error) ?? '')) return undefined
    throw new KubesyncError('SANDBOX_SILENT', `the running sandbox does not answer: ${messageOf(error)}`, {
      hint: 'it may be busy: try again',
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
    throw new KubesyncError('SANDBOX_MISMATCH', 'the running sandbox is of another version of kubesync', {
      hint: 'end it by its pid, and start it anew',
      cause: error,
    })
  }
}

function send(
  socketPath: string,
  { method, path, body }: Question<unknown>,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(limit)
    const sent = request({ socketPath, method, path, signal, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
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
