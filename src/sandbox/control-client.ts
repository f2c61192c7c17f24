import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import * as v from 'valibot'
import { errnoOf, KubesyncError, messageOf } from '../errors.ts'

/** How long a running sandbox may take to answer, in milliseconds. */
const limit = 5000
const statusSchema = v.object({
  ...{
    pid: v.number(),
    version: v.string(),
    kubeconfig: v.string(),
    server: v.string(),
    startedAt: v.string(),
  },
  nodes: v.array(v.object({ name: v.string(), ready: v.boolean(), pods: v.number() })),
  pods: v.object({ running: v.number(), total: v.number() }),
  faults: v.pipe(v.array(v.string()), v.readonly()),
})
const downSchema = v.object({ pid: v.number() })
const errorSchema = v.object({ code: v.string(), message: v.string(), hint: v.exactOptional(v.string()) })

/** What a running sandbox tells of itself. */
export type SandboxStatus = v.InferOutput<typeof statusSchema>

/** What the sandbox behind a control socket does; undefined if none runs. */
export async function askStatus(socket: string): Promise<SandboxStatus | undefined> {
  const answer = await ask(socket, 'GET', '/status')
  return answer === undefined ? undefined : understood(statusSchema, answer)
}

/** Asks the sandbox to end; its pid, or undefined if none runs. It may take some seconds. */
export async function askDown(socket: string): Promise<number | undefined> {
  const answer = await ask(socket, 'POST', '/down')
  return answer === undefined ? undefined : understood(downSchema, answer).pid
}

async function ask(socketPath: string, method: string, path: string): Promise<string | undefined> {
  try {
    const signal = AbortSignal.timeout(limit)
    const sent = request({ socketPath, method, path, signal, agent: false }).end()
    // It is told of by `once`, or breaks the response.
    sent.on('error', () => {})
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    const answer = await text(response)
    if (response.statusCode === 200) return answer
    const { code, message, ...hint } = understood(errorSchema, answer)
    throw new KubesyncError(code, message, hint)
  } catch (error) {
    if (['ENOENT', 'ECONNREFUSED', 'ENOTSOCK'].includes(errnoOf(error) ?? '')) return undefined
    if (error instanceof KubesyncError) throw error
    throw new KubesyncError('SANDBOX_SILENT', `the running sandbox does not answer: ${messageOf(error)}`, {
      ...{ hint: 'it may be busy: try again', cause: error },
    })
  }
}

function understood<T>(schema: v.GenericSchema<unknown, T>, answer: string): T {
  try {
    return v.parse(schema, JSON.parse(answer))
  } catch (error) {
    throw new KubesyncError('SANDBOX_MISMATCH', 'the running sandbox is of another version of kubesync', {
      ...{ hint: 'end it by its pid, and start it anew', cause: error },
    })
  }
}
