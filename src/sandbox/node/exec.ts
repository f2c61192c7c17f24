import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Duplex, Readable, Writable } from 'node:stream'
import { createWebSocketStream, type WebSocket } from 'ws'
import { ApiFailure, notImplemented, statusOf } from '../failure.ts'
import type { JsonObject } from '../object.ts'
import type { Attempt } from './attempt.ts'
import { started } from './command.ts'
import type { ExecOptions, Upgrade } from './streams.ts'
import { acceptWebSocket, send } from './websocket.ts'

/**
 * The channels of `v4.channel.k8s.io` and `v5.channel.k8s.io`: the first byte of a message is its channel's. Only v5 can end
 * stdin.
 * Source: https://github.com/kubernetes/apimachinery/blob/master/pkg/util/remotecommand/constants.go
 */
const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, close: 255 } as const
const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io']

type Client = { readonly socket: WebSocket; readonly stream: Duplex }

/** Runs a command in a container, or attaches to what runs there, and tells the client how it ended. */
export function serveExec(attempt: Attempt | undefined, options: ExecOptions, upgrade: Upgrade): void {
  if (options.tty) throw notImplemented('a terminal (leave out -t, --tty)')
  acceptWebSocket(upgrade, protocols, (socket) => {
    const stream = createWebSocketStream(socket, { readableObjectMode: true, readableHighWaterMark: 4 })
    // A client that goes away is seen by what reads from it.
    stream.on('error', () => {})
    void serve({ socket, stream }, attempt, options)
  })
}

async function serve(client: Client, attempt: Attempt | undefined, options: ExecOptions): Promise<void> {
  const { stdout, stderr } = options
  await say(client, stdout ? channel.stdout : stderr ? channel.stderr : channel.error, Buffer.alloc(0))
  const status = await run(client, attempt, options).catch((error: unknown) =>
    internalError(error instanceof Error ? error.message : String(error)),
  )
  await say(client, channel.error, Buffer.from(JSON.stringify(status)))
  client.socket.close(1000)
}

async function run(client: Client, attempt: Attempt | undefined, options: ExecOptions): Promise<JsonObject> {
  if (attempt === undefined) {
    return internalError(`unable to upgrade connection: container not found ("${options.container}")`)
  }
  if (options.attach) return attach(client, attempt, options)
  const child = attempt.exec(options.command, options.stdin)
  const failed = await started(child)
  if (failed !== undefined) {
    const why = `failed to exec in container: failed to start exec: OCI runtime exec failed: exec failed: ${failed}`
    return internalError(`error executing command in container: ${why}`)
  }
  return converse(client, child, options)
}

async function converse(client: Client, child: ChildProcess, options: ExecOptions): Promise<JsonObject> {
  const ended = once(child, 'close')
  void feed(client, child.stdin, true)
  // As with a real runtime, a command whose client has gone runs until it notices.
  client.stream.once('close', () => {
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy()
  })
  await Promise.all([
    pump(child.stdout, options.stdout ? (chunk) => say(client, channel.stdout, chunk) : discard),
    pump(child.stderr, options.stderr ? (chunk) => say(client, channel.stderr, chunk) : discard),
  ])
  const [code, signal] = await ended
  return exitStatus(options.command, code ?? (signal === 'SIGKILL' ? 137 : 143))
}

async function attach(client: Client, attempt: Attempt, options: ExecOptions): Promise<JsonObject> {
  const listener = async (name: 'stdout' | 'stderr', chunk: Buffer) => {
    if (options[name]) await say(client, channel[name], chunk)
  }
  attempt.attached.add(listener)
  if (options.stdin) void feed(client, attempt.child.stdin, attempt.stdinOnce)
  else client.stream.resume()
  await Promise.race([attempt.over, once(client.stream, 'close')])
  attempt.attached.delete(listener)
  return { metadata: {}, status: 'Success' }
}

/** What the client says goes to stdin, as fast as that takes it; other channels have no use without a terminal. */
async function feed({ stream }: Client, stdin: Writable | null, end: boolean): Promise<void> {
  stdin?.on('error', () => {})
  try {
    for await (const message of stream) {
      const bytes = Buffer.from(message)
      if (bytes[0] === channel.stdin && stdin !== null) await send(stdin, bytes.subarray(1))
      if (end && bytes[0] === channel.close && bytes[1] === channel.stdin) stdin?.end()
    }
  } catch {
    // The client is gone.
  }
  if (end) stdin?.end()
}

async function pump(from: Readable | null, to: (chunk: Buffer) => Promise<void>): Promise<void> {
  try {
    for await (const chunk of from ?? []) await to(chunk)
  } catch {
    // It was ended under us: the client is gone.
  }
}

const discard = async () => {}

function say({ stream }: Client, to: number, data: Buffer): Promise<void> {
  return send(stream, Buffer.concat([Buffer.of(to), data]))
}

function exitStatus(command: readonly string[], code: number): JsonObject {
  if (code === 0) return { metadata: {}, status: 'Success' }
  const why = `error executing command [${command.join(' ')}], exit code ${code}`
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: ${why}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  }
}

function internalError(message: string): JsonObject {
  const failure = new ApiFailure(500, 'InternalError', `Internal error occurred: ${message}`)
  return { ...statusOf(failure), details: { causes: [{ message }] } }
}
