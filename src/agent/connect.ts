import { readFile } from 'node:fs/promises'
import { pipeline, type Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { assetPath } from '../asset.ts'
import { KubesyncError } from '../errors.ts'
import { noRules, type RuleSet } from '../files/ignore/rule-set.ts'
import { connectReplica } from '../files/replica/client.ts'
import { type ContentRecord, decodeRecords } from '../files/replica/content.ts'
import type { ContentSource, Replica } from '../files/replica/replica.ts'
import type { KubeClient } from '../kube/client.ts'
import { type ExecExit, type ExecStream, exec } from '../kube/exec.ts'
import { readMessages } from '../wire/messages.ts'
import { type Channel, Mux, type MuxClosed } from '../wire/mux.ts'
import type { View } from './container.ts'
import { Depot } from './content/depot.ts'
import { withDepot } from './content/share.ts'
import { framed, loader } from './loader.ts'
import {
  type ChannelRequest,
  type Hello,
  helloSchema,
  openedSchema,
  parseJson,
  type ReloadRequest,
  type ReplicaRequest,
  toJson,
} from './protocol.ts'
import { startPulse } from './pulse.ts'

/** An agent's pod, and the container in it that has Node. */
export interface AgentPod {
  readonly namespace: string
  readonly pod: string
  readonly container: string
}

/** What an agent is started as. */
export interface AgentStart {
  /** Arguments of the agent's code; that of a node unless said. */
  readonly role?: readonly [View, ...string[]]
  /** A container that the agent is to look for: its hello tells of it. */
  readonly containerId?: string
}

export type ReplicaTarget = Omit<ReplicaRequest, 'type'>

/** An agent that runs this command line's own code on a node, for as long as the connection lasts. */
export interface NodeConnection {
  readonly hello: Hello
  /** A replica of a directory in a container; rejects with a KubesyncError when the agent refuses. */
  openReplica(target: ReplicaTarget, options?: OpenOptions): Promise<Replica>
  /** Has a container's first process restart in place, or hear a signal; rejects with the reason if it does not. */
  reload(containerId: string, how: string): Promise<void>
  /** Resolves when the connection is gone; never rejects. */
  readonly closed: Promise<MuxClosed>
  close(): Promise<void>
}

export interface OpenOptions {
  /** What it ignores; nothing unless given. */
  readonly rules?: RuleSet | undefined
  /** Where content comes from: what several replicas of this node are sent from the same crosses the network once. */
  readonly source?: ContentSource
}

/** How long a started agent may take to say hello, in milliseconds; 0.1 s is usual. */
const helloLimit = 20_000
/** Bytes of an agent's answer to the opening of a channel. */
const maxGreeting = 65_536

/** Starts the agent in its pod and greets it. Rejects with a KubesyncError that says what is wrong there. */
export async function connectNode(
  client: KubeClient,
  agent: AgentPod,
  { role = ['node'], containerId }: AgentStart = {},
): Promise<NodeConnection> {
  const code = await readFile(assetPath('agent.cjs'))
  const stream = await exec(client, { ...agent, command: ['node', '-e', loader, ...role] })
  const said = tail(stream)
  stream.write(framed(code))
  const mux = new Mux(stream, { role: 'client' })
  try {
    const hello = await Promise.race([greet(mux, containerId), failure(stream, agent, said)])
    const silence = new KubesyncError(
      'AGENT_SILENT',
      `the agent in pod ${agent.pod} does not answer any more`,
    )
    const stop = startPulse(
      () => greet(mux),
      () => stream.destroy(silence),
    )
    void mux.closed.then(stop)
    const depotOf = newDepots(mux, hello)
    return {
      hello,
      openReplica(target, { rules, source } = {}) {
        const opening = () => openReplica(mux, target, rules)
        return source === undefined ? opening() : withDepot(depotOf(source), opening)
      },
      reload: (containerId, how) => reload(mux, { containerId, how }),
      closed: mux.closed,
      close: () => mux.close(),
    }
  } catch (error) {
    stream.destroy()
    throw error
  }
}

async function greet(mux: Mux, containerId?: string): Promise<Hello> {
  const channel = open(mux, { type: 'hello', containerId })
  const hello = parseJson(helloSchema, await greeting(channel))
  channel.destroy()
  return hello
}

async function openReplica(mux: Mux, target: ReplicaTarget, rules = noRules): Promise<Replica> {
  const channel = await granted(mux, { type: 'replica', ...target })
  return connectReplica(channel, { rules, reads: [] })
}

async function reload(mux: Mux, request: Omit<ReloadRequest, 'type'>): Promise<void> {
  const channel = await granted(mux, { type: 'reload', ...request })
  channel.destroy()
}

/** A channel that the agent agreed to; rejects with its reason if it did not. */
async function granted(mux: Mux, request: ChannelRequest): Promise<Channel> {
  const channel = open(mux, request)
  const opened = parseJson(openedSchema, await greeting(channel))
  if (opened.ok) return channel
  channel.destroy()
  const { code, message, hint } = opened
  throw new KubesyncError(code, message, hint === undefined ? {} : { hint })
}

/** The depot of each source, on this node. */
function newDepots(mux: Mux, { store: size = 0 }: Hello): (source: ContentSource) => Depot {
  const depots = new WeakMap<ContentSource, Depot>()
  const store = { size, keep: (content: Readable) => keep(mux, content) }
  return (source) => {
    const depot = depots.get(source) ?? new Depot(store)
    depots.set(source, depot)
    return depot
  }
}

async function* keep(mux: Mux, content: Readable): AsyncGenerator<ContentRecord, void, void> {
  const channel = open(mux, { type: 'keep' })
  pipeline(content, channel, () => {})
  for await (const message of readMessages(channel)) yield* decodeRecords(message)
}

function open(mux: Mux, request: ChannelRequest): Channel {
  const channel = mux.open(toJson(request))
  // Whoever reads it hears of an error by itself.
  channel.on('error', () => {})
  return channel
}

/** The one message that a channel begins with; what follows stays in the channel. */
async function greeting(channel: Channel): Promise<Buffer> {
  for await (const message of readMessages(channel, maxGreeting)) return message
  throw new KubesyncError('WIRE_BROKEN', 'the agent ended the channel without an answer')
}

/** The last of what the agent wrote to stderr, to tell why it did not come up. */
function tail(stream: ExecStream): () => string {
  let said = ''
  stream.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000)
  })
  return () => said.trim()
}

/** Rejects when the stream ends, or time runs out, before the agent said hello. */
async function failure(stream: ExecStream, agent: AgentPod, said: () => string): Promise<never> {
  const late = `no answer within ${helloLimit / 1000} s`
  const reason = await Promise.race([stream.exit.then(describe), delay(helloLimit, late, { ref: false })])
  const message = `the agent in pod ${agent.namespace}/${agent.pod} did not start: ${said() || reason}`
  throw new KubesyncError('AGENT_NOT_STARTED', message, {
    hint: 'run `ksync init` again to repair the agent; its image needs Node 20 or newer',
  })
}

function describe(exit: ExecExit): string {
  switch (exit.kind) {
    case 'exited':
      return `it exited with code ${exit.code}`
    case 'closed':
      return 'the connection was closed'
    default:
      return exit.message
  }
}
