import type { IncomingMessage, ServerResponse } from 'node:http'
import * as v from 'valibot'
import type { ApiHandlers } from './api.ts'
import { bodyOf, failure, reply } from './api-http.ts'
import type { Share } from './keeps/keeps.ts'
import { orderSchema } from './keeps/order.ts'
import type { LogEvent } from './world.ts'

const watchSchema = v.object({ kubeconfig: v.string(), stays: v.boolean() })
const keepSchema = v.object({ order: orderSchema, stays: v.boolean() })

/** The requests for a share in what the process does. */
export const sharePaths: ReadonlySet<string> = new Set(['/watch', '/keep'])

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The answers under way. */
  readonly held: Set<ServerResponse>
}

/**
 * `POST /watch` `{kubeconfig, stays}` syncs all specs, `POST /keep` `{order, stays}` keeps a folder of manifests in step. If it is to stay, the
 * answer is `{pid, log?}`. Else it is held as long as the connection: the answer is that line, then what happens, each event a line of JSON, and
 * when the work ends, a last line says why, `{reason}`; it is cut off when this process ends.
 */
export async function startShare(
  { request, response, held }: Exchange,
  handlers: ApiHandlers,
): Promise<void> {
  let deaf = () => {}
  try {
    const { begin, stays, isMine } = wanted(request.url, JSON.parse(await bodyOf(request)), handlers)
    const answer = { pid: process.pid, log: handlers.logFile }
    const early: LogEvent[] = []
    let tell = (event: LogEvent): void => void early.push(event)
    if (!stays) deaf = handlers.listen((event) => isMine(event) && tell(event))
    const share = await begin()
    if (stays) return reply(response, { status: 200, body: answer })
    response.on('error', () => {})
    response.on('close', () => {
      held.delete(response)
      deaf()
      void share.leave()
    })
    if (response.destroyed) return await share.leave()
    held.add(response)
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    tell = (event) => void response.write(`${JSON.stringify(event)}\n`)
    response.write(`${JSON.stringify(answer)}\n`)
    early.forEach(tell)
    response.end(`${JSON.stringify({ reason: await share.ended })}\n`)
  } catch (error) {
    deaf()
    reply(response, failure(error))
  }
}

interface Wanted {
  readonly stays: boolean
  begin(): Promise<Share>
  /** Whether an event is about it. */
  isMine(event: LogEvent): boolean
}

function wanted(url: string | undefined, body: unknown, handlers: ApiHandlers): Wanted {
  if (url === '/keep') {
    const { order, stays } = v.parse(keepSchema, body)
    return { stays, begin: () => handlers.keep(order, stays), isMine: ({ keep }) => keep === order.folder }
  }
  const { kubeconfig, stays } = v.parse(watchSchema, body)
  return { stays, begin: () => handlers.sync(kubeconfig, stays), isMine: ({ keep }) => keep === undefined }
}
