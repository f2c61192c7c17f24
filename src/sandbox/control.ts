import { once } from 'node:events'
import { chmod, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { KubesyncError, messageOf } from '../errors.ts'
import type { SandboxStatus } from './control-client.ts'
import type { Faults } from './faults.ts'

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
      (error: unknown) => reply(response, 400, failure(error)),
    )
  })
  await once(server.listen(options.socket), 'listening')
  await chmod(options.socket, 0o600)
  return {
    async close() {
      if (!server.listening) return
      setTimeout(() => server.closeAllConnections(), 1000).unref()
      await once(server.close(), 'close')
    },
  }
}

async function answer(request: IncomingMessage, { status, down, faults }: ControlOptions): Promise<unknown> {
  const asked = `${request.method} ${request.url}`
  if (asked === 'GET /status') return status()
  if (asked === 'POST /down') {
    setImmediate(down)
    return { pid: process.pid }
  }
  if (asked === 'POST /faults') return { result: (await faults.carryOut(await json(request))) ?? null }
  throw new KubesyncError('NOT_FOUND', `there is no ${asked}`)
}

function failure(error: unknown): object {
  if (!(error instanceof KubesyncError)) return { code: 'FAILED', message: messageOf(error) }
  const { code, message, hint } = error
  return { code, message, ...(hint === undefined ? {} : { hint }) }
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
  response.end(JSON.stringify(body))
}
