import type { KubeClient } from './client.ts'
import { ApiError } from './errors.ts'
import { openSpdy } from './exec-spdy.ts'
import type { ExecStream } from './exec-stream.ts'
import { openWebSocket } from './exec-websocket.ts'
import { type Opener, openStream, type StreamRequest } from './open-stream.ts'
import { resourcePath } from './resource.ts'

export type { ExecExit } from './exec-status.ts'
export type { ExecStream } from './exec-stream.ts'

export interface ExecRequest {
  readonly namespace: string
  readonly pod: string
  readonly container: string
  /** Program and arguments; no shell takes them apart. */
  readonly command: readonly string[]
  /** Milliseconds for the stream to open; 10,000 unless said. */
  readonly timeoutMs?: number | undefined
  /** Aborting closes the stream, also once it is open. */
  readonly signal?: AbortSignal | undefined
}

/** The first minor version whose WebSockets can do all that SPDY can. */
const WEBSOCKET_MINOR = 30

/**
 * Runs a command in a container and resolves with its streams once the server agreed. As kubectl does, over a
 * WebSocket, or over SPDY if the server is older than 1.30; and over the other one if
 * something between us and the server refuses the first.
 *
 * @throws KubesyncError as requests do: `SERVER_UNREACHABLE`, `UNAUTHORIZED`, `FORBIDDEN`, `NOT_FOUND`, …
 */
export async function exec(client: KubeClient, request: ExecRequest): Promise<ExecStream> {
  const [first, second] = await openersFor(client)
  try {
    return await openStream(client, streamOf(client, request, first))
  } catch (error) {
    if (!isUpgradeRefused(error)) throw error
    return await openStream(client, streamOf(client, request, second))
  }
}

async function openersFor(client: KubeClient): Promise<readonly [Opener, Opener]> {
  const isNew = await client.discovery.version().then(
    ({ major, minor }) => major > 1 || (major === 1 && minor >= WEBSOCKET_MINOR),
    (error: unknown) => {
      if (error instanceof ApiError) return true
      throw error
    },
  )
  return isNew ? [openWebSocket, openSpdy] : [openSpdy, openWebSocket]
}

/** The API server gives a reason with what it decides; a proxy that knows no upgrades does not. */
function isUpgradeRefused(error: unknown): boolean {
  return error instanceof ApiError && ['', 'BadRequest'].includes(error.status.reason)
}

function streamOf(client: KubeClient, request: ExecRequest, opener: Opener): StreamRequest {
  const { namespace, pod, container, command, timeoutMs, signal } = request
  const path = resourcePath({ apiVersion: 'v1', plural: 'pods', namespace, name: pod, subresource: 'exec' })
  const url = client.url(path, { container, command, stdin: true, stdout: true, stderr: true })
  const where = `${namespace}/${pod}`
  const action = `run a command in the pod ${where} (pods/exec)`
  return { url, opener, pod: where, action, timeoutMs, signal }
}
