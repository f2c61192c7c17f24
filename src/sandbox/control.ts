import { chmod, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import * as v from 'valibot'
import { KubesyncError, messageOf } from '../errors.ts'
import type { Faults } from './faults.ts'

/** What a running sandbox tells of itself. */
export interface SandboxStatus {
  readonly pid: number
  readonly version: string
  readonly kubeconfig: string
  readonly server: string
  readonly startedAt: string
  readonly nodes: readonly { readonly name: string; readonly ready: boolean; readonly pods: number }[]
  readonly pods: { readonly running: number; readonly total: number }
  readonly faults: readonly string[]
}

export interface ControlOptions {
  readonly socket: string
  readonly faults: Faults
  status(): SandboxStatus
  /** Called once the answer is on its way. */
  down(): void
}

export interface Control {
  close(): Promise<void>
}

const use = v.picklist(['all', 'watch', 'exec', 'port-forward', 'log', 'request'])
const milliseconds = v.pipe(v.number(), v.minValue(0), v.maxValue(3_600_000))
const pod = { namespace: v.string(), name: v.string() }
const requestSchema = v.variant('fault', [
  v.strictObject({ fault: v.literal('latency'), ms: milliseconds }),
  v.strictObject({ fault: v.literal('cut'), use }),
  v.strictObject({
    fault: v.literal('cut-after'),
    use,
    bytes: v.optional(v.pipe(v.number(), v.minValue(0))),
  }),
  v.strictObject({ fault: v.literal('drop'), ms: milliseconds }),
  v.strictObject({ fault: v.literal('stop-server') }),
  v.strictObject({ fault: v.literal('start-server') }),
  v.strictObject({ fault: v.literal('expire') }),
  v.strictObject({ fault: v.literal('move-pod'), ...pod }),
  v.strictObject({ fault: v.literal('kill-container'), ...pod, container: v.string() }),
  v.strictObject({ fault: v.literal('fill-disk') }),
  v.strictObject({ fault: v.literal('free-disk') }),
])
export type FaultRequest = v.InferOutput<typeof requestSchema>
const bodyLimit = 64 * 1024
/** The limit of `sun_path`, less the final 0. */
const socketPathLimit = 107

/**
 * Serves HTTP on a Unix socket in the sandbox's directory, which only this user can enter:
 *
 * - `GET /status`: `SandboxStatus`
 * - `POST /down`: `{pid}`; the process ends soon after
 * - `POST /faults` with a fault, such as `{"fault":"latency","ms":100}`: `{result}`
 *
 * Errors are `{code, message, hint?}`.
 */
export async function serveControl(options: ControlOptions): Promise<Control> {
  if (Buffer.byteLength(options.socket) > socketPathLimit) {
    throw new KubesyncError('PATH_TOO_LONG', `${options.socket} is too long for the path of a socket`, {
      hint: 'set KUBESYNC_HOME to a shorter path',
    })
  }
  await rm(options.socket, { force: true })
  const server = createServer((request, response) => {
    answer(request, options).then(
      (body) => reply(response, 200, body),
      (error: unknown) => reply(response, ...failure(error)),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.socket, resolve)
  })
  await chmod(options.socket, 0o600)
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
        setTimeout(() => server.closeAllConnections(), 1000).unref()
      }),
  }
}

async function answer(request: IncomingMessage, options: ControlOptions): Promise<unknown> {
  const { method, url } = request
  if (method === 'GET' && url === '/status') return options.status()
  if (method === 'POST' && url === '/down') {
    setImmediate(() => options.down())
    return { pid: process.pid }
  }
  if (method === 'POST' && url === '/faults') {
    const parsed = v.safeParse(requestSchema, JSON.parse(await bodyOf(request)))
    if (!parsed.success) throw new KubesyncError('BAD_FAULT', v.summarize(parsed.issues))
    return { result: (await carryOut(options.faults, parsed.output)) ?? null }
  }
  throw new KubesyncError('NOT_FOUND', `there is no ${method} ${url}`)
}

function carryOut(faults: Faults, request: FaultRequest): unknown {
  switch (request.fault) {
    case 'latency':
      return faults.latency(request.ms)
    case 'cut':
      return faults.cut(request.use)
    case 'cut-after':
      return faults.cutAfter(request.use, request.bytes)
    case 'drop':
      return faults.drop(request.ms)
    case 'stop-server':
      return faults.stopServer()
    case 'start-server':
      return faults.startServer()
    case 'expire':
      return faults.expire()
    case 'move-pod':
      return faults.movePod(request)
    case 'kill-container':
      return faults.killContainer(request, request.container)
    case 'fill-disk':
      return faults.fillDisk()
    case 'free-disk':
      return faults.freeDisk()
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk
    if (text.length > bodyLimit) throw new KubesyncError('BAD_FAULT', 'the request is too long')
  }
  return text
}

function failure(error: unknown): [number, unknown] {
  if (!(error instanceof KubesyncError)) return [500, { code: 'FAILED', message: messageOf(error) }]
  const { code, message, hint } = error
  return [code === 'NOT_FOUND' ? 404 : 400, { code, message, ...(hint === undefined ? {} : { hint }) }]
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
  response.end(JSON.stringify(body))
}
