import type { Duplex } from 'node:stream'
import { KubesyncError } from '../errors.ts'
import { version } from '../version.ts'
import { writeMessage } from '../wire/messages.ts'
import { type Channel, Mux } from '../wire/mux.ts'
import { stdioDuplex } from '../wire/stdio.ts'
import type { View } from './container.ts'
import { keepContent } from './content/keep.ts'
import { openRing, type Ring } from './content/ring.ts'
import { whoRuns } from './ids.ts'
import { digestOf, ownCode } from './loader.ts'
import { type Mirrors, newMirrors } from './mirrors.ts'
import {
  type ChannelRequest,
  channelSchema,
  type Hello,
  parseJson,
  type ReplicaRequest,
  refused,
  toJson,
} from './protocol.ts'
import { bareContainerId, findContainer, hostProc } from './radar.ts'
import { continueLeftovers } from './reload/recover.ts'
import { reload, reloadsDone } from './reload/serve.ts'
import type { Proofs } from './strict/proof.ts'

/** What a caller is served by. */
export interface Service {
  readonly view: View
  /** Where its content is kept, to be sent once. It is read by positions that callers say: strangers must not share one. */
  readonly ring?: Ring | undefined
  readonly mirrors: Mirrors
  /** Of a strict agent: what the caller has to prove before anything is done for it. */
  readonly proofs?: Proofs
}

/** Serves one laptop on this process's stdio until that stream ends; every mirror ends with it. */
export function runNode(view: View): void {
  // A process that is half way is brought to an end first.
  const ring = openRing()
  const mirrors = newMirrors(ring)
  mirrors.prepare()
  void serveNode(stdioDuplex(), { view, ring, mirrors })
    .then(reloadsDone)
    .then(() => process.exit(0))
  if (view === 'node') void continueLeftovers()
}

/** Serves one laptop on a stream; resolves when that is over. Every mirror ends with it. */
export function serveNode(transport: Duplex, service: Service): Promise<unknown> {
  const mux = new Mux(transport, { role: 'server' })
  mux.onChannel((channel, header) => {
    // A channel that its peer gave up is over; whoever serves it sees 'close'.
    channel.on('error', () => {})
    void serve(service, { channel, header })
  })
  return mux.closed
}

interface Asked {
  readonly channel: Channel
  readonly header: Buffer
}

async function serve(service: Service, { channel, header }: Asked): Promise<void> {
  try {
    await answer(service, channel, parseJson(channelSchema, header))
  } catch (error) {
    await writeMessage(channel, toJson(refused(error))).catch(() => {})
    channel.end(() => channel.destroy())
  }
}

async function answer(service: Service, channel: Channel, request: ChannelRequest): Promise<void> {
  const { view, ring, proofs } = service
  if (request.type === 'hello') {
    await writeMessage(channel, toJson(hello(service, request.containerId)))
    channel.end()
  } else if (request.type === 'keep') {
    await keep(channel, ring)
  } else if (request.type === 'prove') {
    await proofs?.prove(channel, request)
  } else {
    // Whatever else is asked for names the container that it is about.
    proofs?.demand(request.containerId)
    if (request.type === 'replica') return startMirror(service, { channel, request })
    await reload(channel, request, { proc: hostProc, view, holds: proofs === undefined })
  }
}

async function keep(channel: Channel, ring: Ring | undefined): Promise<void> {
  if (ring === undefined) throw new KubesyncError('NO_STORE', 'there is no room for content on this node')
  await keepContent(channel, ring).catch((error) => channel.destroy(error))
}

function hello({ view, ring, proofs }: Service, containerId: string | undefined): Hello {
  const me = {
    ...{ version, node: process.version, pid: process.pid },
    ...(ring && { store: ring.size }),
    ...(proofs && { digest: digestOf(ownCode()) }),
  }
  const asked = view === 'pod' && containerId !== undefined
  const found = asked ? findContainer(containerId, hostProc) : undefined
  return found === undefined ? me : { ...me, container: whoRuns(`${hostProc}/${found.pid}`) }
}

interface Opening {
  readonly channel: Channel
  readonly request: ReplicaRequest
}

function startMirror({ view, mirrors }: Service, { channel, request }: Opening): void {
  const containerId = bareContainerId(request.containerId)
  const found = containerId === undefined ? undefined : findContainer(containerId, hostProc)
  if (containerId === undefined || found === undefined) {
    throw new KubesyncError('CONTAINER_GONE', 'no process of the container runs on this node', {
      hint: 'it may just have ended; it is looked for again when it runs',
    })
  }
  mirrors.relay(channel, { ...request, containerId, process: found, proc: hostProc, view })
}
