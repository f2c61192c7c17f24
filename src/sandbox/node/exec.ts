import { once } from 'node:events'
import { type Duplex, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createWebSocketStream } from 'ws'
import { ApiFailure, notImplemented, statusOf } from '../failure.ts'
import type { JsonObject } from '../object.ts'
import type { Attempt } from './attempt.ts'
import { whyNotStarted } from './process.ts'
import type { ExecOptions, Upgrade } from './streams.ts'
import { acceptWebSocket, send } from './websocket.ts'

/**
 * The channels of `v4.channel.k8s.io` and `v5.channel.k8s.io`: the first byte of a message is its channel's. Only v5 can end
 * stdin.
 * Source: https://github.com/kubernetes/apimachinery/blob/master/pkg/util/remotecommand/constants.go
 */
const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, close: 255 } as const
const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io']

/** Runs a command in a container, and tells the client how it ended. */
export function serveExec(attempt: Attempt | undefined, options: ExecOptions, upgrade: Upgrade): void {
  if (options.tty) throw notImplemented('a terminal (leave out -t, --tty)')
  if (options.attach) throw notImplemented('attach (use exec or logs)')
  acceptWebSocket(upgrade, protocols, async (socket) => {
    const client = createWebSocketStream(socket, { readableObjectMode: true, readableHighWaterMark: 4 })
    // A client that goes away is seen by what reads from it.
    client.on('error', () => {})
    const first = options.stdout ? channel.stdout : options.stderr ? channel.stderr : channel.error
    await say(client, first, Buffer.alloc(0))
    const status = await run(client, attempt, options).catch((error: unknown) =>
      internalError(error instanceof Error ? error.message : String(error)),
    )
    await say(client, channel.error, Buffer.from(JSON.stringify(status)))
    socket.close(1000)
  })
}

async function run(client: Duplex, attempt: Attempt | undefined, options: ExecOptions): Promise<JsonObject> {
  if (attempt === undefined) {
    return internalError(`unable to upgrade connection: container not found ("${options.container}")`)
  }
  const child = attempt.exec(options.command, options.stdin)
  const failed = await whyNotStarted(child)
  if (failed !== undefined) {
    const why = `failed to exec in container: failed to start exec: OCI runtime exec failed: exec failed: ${failed}`
    return internalError(`error executing command in container: ${why}`)
  }
  const ended = once(child, 'close')
  void feed(client, child.stdin)
  // As with a real runtime, a command whose client has gone runs until it notices.
  client.once('close', () => {
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy()
  })
  const carried = (['stdout', 'stderr'] as const).map((name) =>
    options[name] ? pipeline(child[name] ?? [], writer(client, channel[name])) : child[name]?.resume(),
  )
  await Promise.allSettled(carried)
  const [code, signal] = await ended
  return exitStatus(options.command, code ?? (signal === 'SIGKILL' ? 137 : 143))
}

/** What the client says goes to stdin, as fast as that takes it; other channels have no use without a terminal. */
async function feed(client: Duplex, stdin: Writable | null): Promise<void> {
  stdin?.on('error', () => {})
  try {
    for await (const said of client) {
      const message = Buffer.from(said)
      if (message[0] === channel.stdin && stdin !== null) await send(stdin, message.subarray(1))
      if (message[0] === channel.close && message[1] === channel.stdin) stdin?.end()
    }
  } catch {
    // The client is gone.
  }
  stdin?.end()
}

function writer(client: Duplex, to: number): Writable {
  return new Writable({ write: (chunk, _, done) => void say(client, to, chunk).then(() => done()) })
}

function say(client: Duplex, to: number, data: Buffer): Promise<void> {
  return send(client, Buffer.concat([Buffer.of(to), data]))
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
