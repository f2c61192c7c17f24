import { Writable } from 'node:stream'
import { Exec, type KubeConfig, type V1Status } from '@kubernetes/client-node'

export interface Command {
  readonly namespace: string
  readonly pod: string
  /** The pod's only one, if it is not named. */
  readonly container?: string | undefined
  readonly command: string[]
}

const limit = 60_000

/** Runs a command in a container to its end; its stdout. Any other exit code than 0 is an error that says it. */
export async function exec(config: KubeConfig, what: Command): Promise<string> {
  const [stdout, stderr] = [new Text(), new Text()]
  const { status, message } = await run(config, what, { stdout, stderr })
  if (status === 'Success') return stdout.text
  throw new Error(`${what.command.join(' ')} in ${what.pod}: ${message}\n${stderr.text}${stdout.text}`)
}

class Text extends Writable {
  readonly #chunks: Buffer[] = []

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk)
    done()
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString()
  }
}

interface Output {
  readonly stdout: Writable
  readonly stderr: Writable
}

function run(
  config: KubeConfig,
  { namespace, pod, container = '', command }: Command,
  { stdout, stderr }: Output,
): Promise<V1Status> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`${command.join(' ')} in ${pod}: ${why}`))
    const connecting = new Exec(config).exec(
      ...([namespace, pod, container, command, stdout, stderr, null, false, resolve] as const),
    )
    connecting.then(
      (socket) => {
        const timer = setTimeout(() => socket.terminate(), limit)
        socket.on('close', () => {
          clearTimeout(timer)
          // Says nothing where the result has come before.
          fail(`the connection closed without a result, or none came in ${limit} ms`)
        })
      },
      // What is thrown is an event of the WebSocket.
      (event: { message?: string }) => fail(event.message ?? 'no connection'),
    )
  })
}
