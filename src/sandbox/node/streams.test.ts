import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer, get, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { ApiFailure } from '../failure.ts'
import type { ExecOptions, LogOptions } from './streams.ts'
import { statusOf, TestNode } from './testing.ts'

let lab: TestNode
let server: Server
let url: string
let options: ExecOptions
let logOptions: LogOptions

/** Hands over as an API server would, with the options at hand; what is refused is answered with its code and message. */
beforeEach(async () => {
  lab = new TestNode()
  options = {
    container: '',
    command: [],
    stdin: false,
    stdout: true,
    stderr: true,
    tty: false,
    attach: false,
  }
  logOptions = { container: '', follow: false, previous: false, timestamps: false }
  server = createServer((request, response) => {
    try {
      lab.node.streams.logs(podOf(request), logOptions, response)
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error
      response.writeHead(error.code).end(error.message)
    }
  })
  server.on('upgrade', (request, socket, head) => {
    try {
      lab.node.streams.exec(podOf(request), options, { request, socket, head })
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error
      socket.end(`HTTP/1.1 ${error.code} ${error.message}\r\n\r\n`)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  await lab.close()
  server.closeAllConnections()
  server.close()
})

function podOf(request: IncomingMessage) {
  const pod = lab.get(request.url?.split('/')[1] ?? '')
  if (pod === undefined) throw new Error(`no pod at ${request.url}`)
  return pod
}

/** A running pod with one container. */
async function run(name: string, script: string, rest: object = {}): Promise<void> {
  lab.pod(name, { containers: [{ name: 'app', image: 'app:1', command: ['sh', '-c', script], ...rest }] })
  await lab.until(name, ({ containerStatuses }) => containerStatuses?.[0]?.state.running !== undefined)
}

/** A client of exec: what came on each channel, and the status it ended with. */
class ExecClient {
  readonly socket: WebSocket
  readonly #received = new Map<number, Buffer[]>()

  constructor(protocol = 'v5.channel.k8s.io') {
    this.socket = new WebSocket(`ws://${url}/a/exec`, [protocol])
    this.socket.on('message', (message: Buffer) => {
      const channel = message[0] ?? -1
      const list = this.#received.get(channel) ?? []
      this.#received.set(channel, [...list, message.subarray(1)])
    })
  }

  async ended() {
    await once(this.socket, 'close')
    const all = (channel: number) => Buffer.concat(this.#received.get(channel) ?? [])
    const first = [...this.#received.entries()][0]
    const status = JSON.parse(all(3).toString())
    return { stdout: all(1), stderr: all(2), status, first }
  }

  say(channel: number, data: Buffer | string): void {
    this.socket.send(Buffer.concat([Buffer.of(channel), Buffer.from(data)]))
  }
}

describe('exec', () => {
  beforeEach(() => run('a', 'sleep 600', { env: [{ name: 'COLOUR', value: 'blue' }] }))

  test('runs in the container’s directory with its environment, and tells its exit code', async () => {
    options = { ...options, command: ['sh', '-c', 'pwd; echo $COLOUR >&2; exit 3'] }
    const { stdout, stderr, status, first } = await new ExecClient().ended()
    expect(stdout.toString()).toMatch(/app\/0\/root\n$/)
    expect(stderr.toString()).toBe('blue\n')
    expect(first?.[1][0]?.length).toBe(0)
    expect(status).toMatchObject({
      status: 'Failure',
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '3' }] },
    })
  })

  test('ends with success', async () => {
    options = { ...options, command: ['true'] }
    expect((await new ExecClient('v4.channel.k8s.io').ended()).status).toEqual({
      metadata: {},
      status: 'Success',
    })
  })

  test('stdin arrives whole, and ends when the client says so', async () => {
    options = { ...options, command: ['sha256sum'], stdin: true }
    const client = new ExecClient()
    await once(client.socket, 'open')
    const content = randomBytes(20 << 20)
    for (let at = 0; at < content.length; at += 1 << 18) client.say(0, content.subarray(at, at + (1 << 18)))
    client.say(255, Buffer.of(0))
    const { stdout } = await client.ended()
    expect(stdout.toString()).toContain(createHash('sha256').update(content).digest('hex'))
  })

  test('a command that nobody reads from is held back', async () => {
    options = { ...options, command: ['sh', '-c', 'head -c 100000000 /dev/zero; touch done'] }
    const client = new ExecClient()
    await once(client.socket, 'open')
    client.socket.pause()
    const pod = lab.get('a')
    const root = join(lab.dataDir, 'pods', pod?.metadata.uid ?? '', 'app/0/root')
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(readdirSync(root)).toEqual([])
    client.socket.resume()
    expect((await client.ended()).stdout.length).toBe(100_000_000)
    expect(readdirSync(root)).toEqual(['done'])
  })

  test('a command that is not there is said as a runtime says it', async () => {
    options = { ...options, command: ['no-such-program'] }
    expect((await new ExecClient().ended()).status).toMatchObject({
      code: 500,
      reason: 'InternalError',
      message: expect.stringContaining(
        'OCI runtime exec failed: exec failed: unable to start container process: exec: "no-such-program": executable file not found in $PATH',
      ),
    })
  })

  test('a client that goes away closes stdin; the command then ends as it likes', async () => {
    options = { ...options, command: ['sh', '-c', 'cat; touch noticed'], stdin: true }
    const client = new ExecClient()
    await once(client.socket, 'open')
    client.socket.terminate()
    const root = join(lab.dataDir, 'pods', lab.get('a')?.metadata.uid ?? '', 'app/0/root')
    await expect.poll(() => readdirSync(root)).toEqual(['noticed'])
  })

  test.each([
    ['a terminal', { tty: true }, 'v5.channel.k8s.io', /501.*terminal/],
    ['another protocol', {}, 'base64.channel.k8s.io', /400/],
    ['attach', { attach: true }, 'v5.channel.k8s.io', /501.*attach/],
  ])('%s is refused before the upgrade', async (_, change, protocol, expected) => {
    options = { ...options, command: ['true'], ...change }
    const socket = new WebSocket(`ws://${url}/a/exec`, [protocol])
    const [, response] = await once(socket, 'unexpected-response')
    expect(`${response.statusCode} ${response.statusMessage}`).toMatch(expected)
    socket.on('error', () => {}).terminate()
  })
})

test.runIf(process.platform === 'linux')(
  'an ephemeral container sees its target’s first process as 1, and ends with it',
  async () => {
    await run('a', 'sleep 600')
    const pod = lab.get('a')
    const debug = {
      ...{ name: 'debug', image: 'app:1', targetContainerName: 'app' },
      command: ['sh', '-c', 'cat $HOST_PROC/1/stat; exec sleep 600'],
    }
    lab.writer.change({ resource: 'pods', namespace: 'default', name: 'a' }, (object) => ({
      ...object,
      spec: { ...(pod?.spec as object), ephemeralContainers: [debug] },
    }))
    await lab.until(
      'a',
      ({ ephemeralContainerStatuses }) => ephemeralContainerStatuses?.[0]?.state.running !== undefined,
    )
    const first = readdirSync(join(lab.dataDir, 'proc'))
    logOptions = { ...logOptions, container: 'debug' }
    await expect.poll(async () => (await readLog())[1].split(' ')[0]).toSatisfy((pid) => first.includes(pid))
    lab.node.killContainer('default', 'a', 'app')
    const ended = await lab.until(
      'a',
      ({ ephemeralContainerStatuses }) => ephemeralContainerStatuses?.[0]?.state.terminated !== undefined,
    )
    expect(statusOf(ended).ephemeralContainerStatuses?.[0]?.state.terminated?.exitCode).toBe(137)
  },
)

test('an ephemeral container works in its target’s directory', async () => {
  await run('a', 'touch mine; sleep 600')
  const pod = lab.get('a')
  const debug = {
    name: 'debug',
    image: 'app:1',
    targetContainerName: 'app',
    command: ['sh', '-c', 'ls; exit 7'],
  }
  lab.writer.change({ resource: 'pods', namespace: 'default', name: 'a' }, (object) => ({
    ...object,
    spec: { ...(pod?.spec as object), ephemeralContainers: [debug] },
  }))
  const ended = await lab.until(
    'a',
    ({ ephemeralContainerStatuses }) => ephemeralContainerStatuses?.[0]?.state.terminated !== undefined,
  )
  expect(statusOf(ended).ephemeralContainerStatuses?.[0]).toMatchObject({
    state: { terminated: { exitCode: 7 } },
    restartCount: 0,
  })
  logOptions = { ...logOptions, container: 'debug' }
  expect(await readLog()).toEqual([200, 'mine\n'])
})

async function readLog(): Promise<[code: number | undefined, text: string]> {
  const [response] = (await once(get(`http://${url}/a/log`), 'response')) as [IncomingMessage]
  const pieces: Buffer[] = []
  for await (const piece of response) pieces.push(piece)
  return [response.statusCode, Buffer.concat(pieces).toString()]
}

describe('logs', () => {
  test('follow a container to its end; previous ones are kept', async () => {
    lab.pod('a', {
      containers: [{ name: 'app', image: 'x', command: ['sh', '-c', 'echo $0 $$$$; sleep 0.2', 'run'] }],
    })
    await lab.until('a', ({ containerStatuses }) => containerStatuses?.[0]?.state.running !== undefined)
    logOptions = { ...logOptions, follow: true }
    const [, text] = await readLog()
    expect(text).toMatch(/^run \d+\n$/)
    await lab.until('a', ({ containerStatuses }) => containerStatuses?.[0]?.restartCount === 1)
    logOptions = { ...logOptions, follow: false, previous: true }
    expect((await readLog())[1]).toBe(text)
  })

  test('what cannot be shown is refused in the real server’s words', async () => {
    lab.pod('a', { containers: [{ name: 'app', image: 'x' }] })
    await lab.until(
      'a',
      ({ containerStatuses }) => containerStatuses?.[0]?.state.waiting?.reason === 'ErrImagePull',
    )
    expect(await readLog()).toEqual([
      400,
      `container "app" in pod "a" is waiting to start: image can't be pulled`,
    ])
    logOptions = { ...logOptions, previous: true }
    expect(await readLog()).toEqual([400, 'previous terminated container "app" in pod "a" not found'])
  })
})
