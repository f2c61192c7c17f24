import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { Client } from './client.ts'
import { at, type Thing, text, thing } from './json.ts'
import { has } from './suite.ts'
import { inTime } from './watch.ts'

/** The newest that the server speaks. */
export const protocol = has('exec v5') ? 'v5.channel.k8s.io' : 'v4.channel.k8s.io'

export interface ExecOptions {
  readonly path: string
  readonly command: readonly string[]
  readonly container?: string
  readonly stdin?: boolean
}

/** One command in a container: what it says, and the Status it ends with. */
export class Exec {
  readonly #socket: WebSocket
  readonly #parts: { out: Buffer[]; err: Buffer[] } = { out: [], err: [] }
  #status: Thing | undefined
  readonly ended: Promise<Thing>

  constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (data: Buffer) => this.#take(data[0], data.subarray(1)))
    this.ended = inTime(
      once(socket, 'close').then(() => {
        if (this.#status === undefined) throw new Error('the stream ended without a status')
        return this.#status
      }),
      'the command did not end',
    )
  }

  get protocol(): string {
    return this.#socket.protocol
  }

  get stdout(): Buffer {
    return Buffer.concat(this.#parts.out)
  }

  get stderr(): Buffer {
    return Buffer.concat(this.#parts.err)
  }

  write(data: string | Uint8Array): void {
    this.#socket.send(Buffer.concat([Buffer.of(0), Buffer.from(data)]))
  }

  /** Ends stdin: only v5 can say it. */
  end(): void {
    this.#socket.send(Buffer.of(255, 0))
  }

  /** Waits until stdout holds a text. */
  async says(wanted: string): Promise<void> {
    while (!this.stdout.includes(wanted)) {
      await inTime(once(this.#socket, 'message'), `stdout is ${JSON.stringify(this.stdout.toString())}`)
    }
  }

  close(): void {
    this.ended.catch(() => {})
    this.#socket.terminate()
  }

  #take(channel: number | undefined, data: Buffer): void {
    if (channel === 1) this.#parts.out.push(data)
    if (channel === 2) this.#parts.err.push(data)
    if (channel === 3) this.#status = thing(JSON.parse(data.toString()))
  }
}

export async function exec(client: Client, options: ExecOptions): Promise<Exec> {
  const query = new URLSearchParams({ stdout: 'true', stderr: 'true' })
  if (options.stdin) query.set('stdin', 'true')
  if (options.container !== undefined) query.set('container', options.container)
  for (const word of options.command) query.append('command', word)
  const socket = connect(client, `${options.path}/exec?${query}`, [protocol])
  const running = new Exec(socket)
  running.ended.catch(() => {})
  await once(socket, 'open')
  return running
}

/** The HTTP status with which an upgrade is refused. */
export async function refusedUpgrade(client: Client, path: string): Promise<number | undefined> {
  const socket = connect(client, path, [protocol])
  socket.on('error', () => {})
  const [, response] = await inTime(once(socket, 'unexpected-response'), 'the upgrade was not refused')
  socket.terminate()
  const code = at(response, 'statusCode')
  return typeof code === 'number' ? code : undefined
}

/** The exit code a Status tells of; 0 for success. */
export function exitCode(status: Thing): number {
  if (status.status === 'Success') return 0
  return Number(text(status, 'details', 'causes', 0, 'message'))
}

function connect(client: Client, path: string, protocols: string[]): WebSocket {
  const { server, ca, cert, key, token, rejectUnauthorized } = client.access
  return new WebSocket(server.replace(/^http/, 'ws') + path, protocols, {
    ca,
    cert,
    key,
    rejectUnauthorized,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  })
}
