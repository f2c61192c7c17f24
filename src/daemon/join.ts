import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import * as v from 'valibot'
import { errnoOf, KubesyncError } from '../errors.ts'
import { absent, refusal, understood } from './ask.ts'
import type { KeepOrder } from './keeps/order.ts'
import type { Log, LogEvent } from './world.ts'

/** What somebody wants done: all specs synced, or a folder of manifests kept in step. */
export type Work =
  | { readonly what: 'specs'; readonly kubeconfig: string }
  | { readonly what: 'keep'; readonly order: KeepOrder }

/** The request for it. */
export function requestOf(work: Work, stays: boolean): { readonly path: string; readonly body: object } {
  return work.what === 'specs'
    ? { path: '/watch', body: { kubeconfig: work.kubeconfig, stays } }
    : { path: '/keep', body: { order: work.order, stays } }
}

/** A part in what another process does, held as long as the connection. */
export interface Joined {
  readonly pid: number
  /** Why the work ended, empty if somebody wanted that; `cut`: the process is gone. */
  readonly over: Promise<{ readonly reason: string } | 'cut'>
}

const eventSchema: v.GenericSchema<unknown, LogEvent> = v.object({
  level: v.picklist(['info', 'warn', 'error']),
  spec: v.exactOptional(v.string()),
  keep: v.exactOptional(v.string()),
  message: v.string(),
})
const takerSchema = v.object({ pid: v.number() })
const lineSchema = v.union([v.object({ reason: v.string() }), eventSchema])

/**
 * Has the running process do it until the signal aborts, and tells what happens; undefined if no process runs. Rejects as `Watch.sync`
 * and `Watch.keep` do.
 */
export async function joinIn(
  socket: string,
  work: Work,
  { log, signal }: { readonly log: Log; readonly signal: AbortSignal },
): Promise<Joined | undefined> {
  const response = await sent(socket, work, signal).catch((error: unknown) => {
    // One that is ending: a moment later there is none, or another one.
    if (['ECONNRESET', 'EPIPE'].includes(errnoOf(error) ?? '')) return undefined
    return absent(error)
  })
  if (response === undefined) return undefined
  if (response.statusCode !== 200) throw refusal(await text(response))
  const lines = linesOf(response)
  const first = await lines.next().catch(() => undefined)
  if (first === undefined || first.done === true) return undefined
  return { pid: understood(takerSchema, first.value).pid, over: follow(lines, log) }
}

/** The lines of an answer; throws when it is cut off. */
async function* linesOf(response: IncomingMessage): AsyncGenerator<string, void> {
  let rest = ''
  response.setEncoding('utf8')
  for await (const chunk of response) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}

async function follow(lines: AsyncGenerator<string, void>, log: Log): Promise<Awaited<Joined['over']>> {
  try {
    for (;;) {
      const { value, done } = await lines.next()
      if (done === true) return 'cut'
      const read = understood(lineSchema, value)
      if ('reason' in read) return read
      log(read)
    }
  } catch (error) {
    if (error instanceof KubesyncError) throw error
    return 'cut'
  }
}

function sent(socketPath: string, work: Work, signal: AbortSignal): Promise<IncomingMessage> {
  const { path, body } = requestOf(work, false)
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method: 'POST', path, agent: false, signal }, resolve)
    outgoing.on('error', reject)
    outgoing.end(JSON.stringify(body))
  })
}
