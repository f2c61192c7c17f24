import { spawn } from 'node:child_process'
import { pipeline } from 'node:stream'
import { KubesyncError } from '../errors.ts'
import { version } from '../version.ts'
import { writeMessage } from '../wire/messages.ts'
import { type Channel, Mux } from '../wire/mux.ts'
import { stdioDuplex } from '../wire/stdio.ts'
import { type View, whoRuns } from './container.ts'
import { keepContent } from './content/keep.ts'
import { openRing } from './content/ring.ts'
import { framed, loader, ownCode } from './loader.ts'
import type { MirrorRequest } from './mirror.ts'
import { channelSchema, type Hello, parseJson, type ReplicaRequest, refused, toJson } from './protocol.ts'
import { bareContainerId, findContainer, isAlive, type ProcessRef } from './radar.ts'
import { continueLeftovers } from './reload/recover.ts'
import { reload, reloadsDone } from './reload/serve.ts'

/** How soon a container's end is noticed, in milliseconds; one read of /proc each. */
const pulse = 250

/**
 * Of a mirror: twice what the largest tree takes. What a container makes it hold beyond that, such as the names in one
 * huge directory, ends that mirror and not the agent, or whatever else needs the node's memory.
 */
const maxHeapMb = 2048

/** Where the node's processes are: HOST_PROC is what tools call it that look at a node from a container. */
const proc = process.env.HOST_PROC || '/proc'

const ring = openRing()

/** Serves one laptop on this process's stdio until that stream ends; every mirror ends with it. */
export function runNode(view: View): void {
  const mux = new Mux(stdioDuplex(), { role: 'server' })
  mux.onChannel((channel, header) => {
    // A channel that its peer gave up is over; whoever serves it sees 'close'.
    channel.on('error', () => {})
    void serve(view, { channel, header })
  })
  // A process that is half way is brought to an end first.
  void mux.closed.then(reloadsDone).then(() => process.exit(0))
  if (view === 'node') void continueLeftovers()
}

interface Asked {
  readonly channel: Channel
  readonly header: Buffer
}

async function serve(view: View, { channel, header }: Asked): Promise<void> {
  try {
    const request = parseJson(channelSchema, header)
    if (request.type === 'hello') {
      await writeMessage(channel, toJson(hello(request.containerId)))
      channel.end()
    } else if (request.type === 'reload') {
      await reload(request, { proc, view })
      await writeMessage(channel, toJson({ ok: true }))
      channel.end()
    } else if (request.type === 'keep') {
      await keep(channel)
    } else {
      startMirror(view, { channel, request })
    }
  } catch (error) {
    await writeMessage(channel, toJson(refused(error)))
    channel.end()
  }
}

async function keep(channel: Channel): Promise<void> {
  if (ring === undefined) throw new KubesyncError('NO_STORE', 'there is no room for content on this node')
  await keepContent(channel, ring).catch((error) => channel.destroy(error))
}

function hello(containerId: string | undefined): Hello {
  const store = ring === undefined ? {} : { store: ring.size }
  const me = { version, node: process.version, pid: process.pid, ...store }
  const found = containerId === undefined ? undefined : findContainer(containerId, proc)
  return found === undefined ? me : { ...me, container: whoRuns(`${proc}/${found.pid}`) }
}

interface Opening {
  readonly channel: Channel
  readonly request: ReplicaRequest
}

function startMirror(view: View, { channel, request }: Opening): void {
  const containerId = bareContainerId(request.containerId)
  const found = containerId === undefined ? undefined : findContainer(containerId, proc)
  if (containerId === undefined || found === undefined) {
    throw new KubesyncError('CONTAINER_GONE', 'no process of the container runs on this node', {
      hint: 'it may just have ended; it is looked for again when it runs',
    })
  }
  const store = ring === undefined ? {} : { storeSize: ring.size }
  relay(channel, { ...request, containerId, process: found, proc, view, ...store })
}

/** Runs a mirror in a process of its own, because its uid is the container's, and passes bytes both ways. */
function relay(channel: Channel, request: MirrorRequest): void {
  const code = [`--max-old-space-size=${maxHeapMb}`, '-e', loader]
  const child = spawn(process.execPath, [...code, 'mirror', JSON.stringify(request)], {
    stdio: ['pipe', 'pipe', 'pipe', ring?.fd ?? 'ignore'],
    env: {},
  })
  const { stdin, stdout, stderr } = child
  if (stdin === null || stdout === null || stderr === null) throw new Error('a mirror without pipes')
  let said = ''
  stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000)
  })
  const beat = watchProcess(request.process, () => end('the container ended'))
  function end(reason: string): void {
    beat.stop()
    child.kill('SIGKILL')
    channel.destroy(new Error(reason))
  }
  child.on('error', (error) => end(error.message))
  child.on('exit', (code, signal) => {
    if (!channel.destroyed) end(said.trim() || `the mirror ended (${signal ?? code})`)
  })
  stdin.write(framed(ownCode()))
  pipeline(channel, stdin, () => {})
  pipeline(stdout, channel, () => {})
  channel.on('close', () => end('the session ended'))
}

function watchProcess(process: ProcessRef, gone: () => void): { stop(): void } {
  const timer = setInterval(() => {
    if (isAlive(process, proc)) return
    clearInterval(timer)
    gone()
  }, pulse)
  return { stop: () => clearInterval(timer) }
}
