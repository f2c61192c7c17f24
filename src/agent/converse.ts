import { pipeline, type Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import * as v from 'valibot'
import { KubesyncError } from '../errors.ts'
import { noRules, type RuleSet } from '../files/ignore/rule-set.ts'
import { connectReplica } from '../files/replica/client.ts'
import { type ContentRecord, decodeRecords } from '../files/replica/content.ts'
import type { ContentSource, Replica } from '../files/replica/replica.ts'
import type { ExecExit, ExecStream } from '../kube/exec.ts'
import { readMessages } from '../wire/messages.ts'
import { type Channel, Mux, type MuxClosed } from '../wire/mux.ts'
import { Depot } from './content/depot.ts'
import { withDepot } from './content/share.ts'
import {
  type ChannelRequest,
  type Hello,
  helloSchema,
  type Opened,
  openedSchema,
  type PodRef,
  parseJson,
  type ReloadRequest,
  type ReplicaRequest,
  type SuccessorTold,
  successorSchema,
  toJson,
} from './protocol.ts'
import { startPulse } from './pulse.ts'

export interface ReplicaTarget extends Omit<ReplicaRequest, 'type'> {
  /** The container's pod: a strict agent wants a right on it to be proved. */
  readonly pod: PodRef
}

/** An agent that runs this command line's own code on a node, for as long as the connection lasts. */
export interface NodeConnection {
  readonly hello: Hello
  /** A replica of a directory in a container; rejects with a KubesyncError when the agent refuses. */
  openReplica(target: ReplicaTarget, options?: OpenOptions): Promise<Replica>
  /** Has a container's first process restart in place, or hear a signal; rejects with the reason if it does not. */
  reload(containerId: string, how: string): Promise<void>
  /** Kills a container's first process; resolves with the container that came in its place, which may take minutes. */
  replaceContainer(containerId: string): Promise<Replaced>
  /** Resolves when the connection is gone; never rejects. */
  readonly closed: Promise<MuxClosed>
  close(): Promise<void>
}

/** A container that came in the place of another one. */
export interface Replaced extends SuccessorTold {
  /** Lets a container that is held go on. */
  letGo(): void
}

export interface OpenOptions {
  /** Asked for what it ignores, once it is about to look; nothing unless given. */
  readonly rules?: () => Promise<RuleSet | undefined>
  /** Where content comes from: what several replicas of this node are sent from the same crosses the network once. */
  readonly source?: Promise<ContentSource>
}

/** How long a started agent may take to say hello, in milliseconds; 0.1 s is usual. */
const helloLimit = 20_000
/** Bytes of an agent's answer to the opening of a channel. */
const maxGreeting = 65_536

export interface Conversation {
  readonly agent: { readonly namespace: string; readonly pod: string }
  readonly containerId?: string | undefined
  /** What to do if there is no hello. */
  readonly hint: string
  /** Done before something is asked for in a container. */
  readonly prepare?: (mux: Mux, target: ReplicaTarget) => Promise<void>
}

/** Greets the agent at the other end of a stream. Rejects with a KubesyncError that says what is wrong there. */
export async function converse(stream: ExecStream, conversation: Conversation): Promise<NodeConnection> {
  const { agent, containerId, prepare } = conversation
  const said = tail(stream)
  const mux = new Mux(stream, { role: 'client' })
  try {
    const hello = await Promise.race([greet(mux, containerId), failure(stream, conversation, said)])
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
      async openReplica(target, { rules, source } = {}) {
        await prepare?.(mux, target)
        const opening = openReplica(mux, target, rules)
        return source === undefined ? opening : shared(opening, source.then(depotOf))
      },
      reload: (containerId, how) => reload(mux, { containerId, how }),
      replaceContainer: (containerId) => replaceContainer(mux, containerId),
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

async function openReplica(
  mux: Mux,
  { pod: _, ...target }: ReplicaTarget,
  rules: OpenOptions['rules'],
): Promise<Replica> {
  const channel = await granted(mux, { type: 'replica', ...target })
  try {
    return await connectReplica(channel, {
      orders: { rules: (await rules?.()) ?? noRules, reads: [] },
      isForAfar: true,
    })
  } catch (error) {
    channel.destroy()
    throw error
  }
}

async function reload(mux: Mux, request: Omit<ReloadRequest, 'type'>): Promise<void> {
  const channel = await granted(mux, { type: 'reload', ...request })
  channel.destroy()
}

async function replaceContainer(mux: Mux, containerId: string): Promise<Replaced> {
  const channel = await granted(mux, { type: 'reload', containerId, how: 'restart-container' })
  try {
    const told = parseJson(v.union([successorSchema, openedSchema]), await greeting(channel))
    if ('containerId' in told) return { ...told, letGo: () => void channel.destroy() }
    throw told.ok ? new KubesyncError('WIRE_BROKEN', 'the agent told of no container') : refusalOf(told)
  } catch (error) {
    channel.destroy()
    throw error
  }
}

/** A channel that the agent agreed to; rejects with its reason if it did not. */
async function granted(mux: Mux, request: ChannelRequest): Promise<Channel> {
  const channel = open(mux, request)
  const opened = parseJson(openedSchema, await greeting(channel))
  if (opened.ok) return channel
  channel.destroy()
  throw refusalOf(opened)
}

/** Counts as one that takes from a depot as soon as that is known: who is opened first is to share with those who come after. */
async function shared(opening: Promise<Replica>, from: Promise<Depot>): Promise<Replica> {
  // It is waited for below, or nobody wants it any more.
  opening.catch(() => {})
  try {
    return await withDepot(await from, () => opening)
  } catch (error) {
    opening.then(
      (replica) => replica.close(),
      () => {},
    )
    throw error
  }
}

/** What an agent refused, as an error here. */
export function refusalOf({ code, message, hint }: Extract<Opened, { ok: false }>): KubesyncError {
  return new KubesyncError(code, message, hint === undefined ? {} : { hint })
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

export function open(mux: Mux, request: ChannelRequest): Channel {
  const channel = mux.open(toJson(request))
  // Whoever reads it hears of an error by itself.
  channel.on('error', () => {})
  return channel
}

/** The one message that a channel begins with; what follows stays in the channel. */
export async function greeting(channel: Channel): Promise<Buffer> {
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
async function failure(
  stream: ExecStream,
  { agent, hint }: Conversation,
  said: () => string,
): Promise<never> {
  const late = `no answer within ${helloLimit / 1000} s`
  const reason = await Promise.race([stream.exit.then(describe), delay(helloLimit, late, { ref: false })])
  const message = `the agent in pod ${agent.namespace}/${agent.pod} did not start: ${said() || reason}`
  throw new KubesyncError('AGENT_NOT_STARTED', message, { hint })
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
