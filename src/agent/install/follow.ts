import type { KubesyncError } from '../../errors.ts'
import type { KubeClient } from '../../kube/client.ts'
import { type ReflectEvent, type ReflectOptions, reflect } from '../../kube/reflector.ts'
import { type KubeObject, resourcePath } from '../../kube/resource.ts'
import { keepIn, versionOf } from './keep.ts'
import { agentName, agentSelector } from './objects.ts'
import {
  type AgentDaemonSet,
  type AgentEvent,
  type AgentPodState,
  daemonSetSchema,
  eventSchema,
  podSchema,
} from './observed.ts'
import { assess, type Rollout } from './rollout.ts'

export interface FollowOptions {
  readonly namespace: string
  /** Of the DaemonSet that was applied. */
  readonly generation: number
  /** What `listEventVersions` said before that: these events are about what was there before. */
  readonly oldEvents: ReadonlySet<string>
  readonly waitMs: number
  readonly signal: AbortSignal
  /** Called with every change. */
  readonly onRollout: (rollout: Rollout) => void
}

/**
 * Watches an install until it is ready, waiting longer would not help, or time is up; resolves with the last of
 * it. Rejects when the server refuses, or at the end cannot be reached.
 */
export async function follow(client: KubeClient, options: FollowOptions): Promise<Rollout> {
  const ended = new AbortController()
  const signal = AbortSignal.any([options.signal, ended.signal])
  // Not AbortSignal.timeout: Node 20 may collect it as garbage while only `any` knows it, and it never fires.
  const timer = setTimeout(() => ended.abort(), options.waitMs)
  const seen = newSeen()
  const judge = () => {
    if (signal.aborted) return
    seen.rollout = assess(observed(seen), options.generation)
    options.onRollout(seen.rollout)
    if (seen.rollout.state !== 'waiting') ended.abort()
  }
  try {
    await watchAll(
      client,
      { ...options, signal },
      { seen, changed: batched(judge), end: () => ended.abort() },
    )
  } finally {
    clearTimeout(timer)
    ended.abort()
  }
  options.signal.throwIfAborted()
  if (seen.failure !== undefined) throw seen.failure
  return seen.rollout
}

interface Seen {
  readonly daemonSets: Map<string, AgentDaemonSet>
  readonly pods: Map<string, AgentPodState>
  readonly events: Map<string, AgentEvent>
  rollout: Rollout
  /** Why nothing more is heard. */
  failure: KubesyncError | undefined
}

function newSeen(): Seen {
  return {
    daemonSets: new Map(),
    pods: new Map(),
    events: new Map(),
    rollout: { nodes: [], desired: undefined, state: 'waiting' },
    failure: undefined,
  }
}

function observed({ daemonSets, pods, events }: Seen) {
  return { daemonSet: [...daemonSets.values()][0], pods: [...pods.values()], events: [...events.values()] }
}

/** What arrives together is judged together: a pod's failure, and the event that tells why. */
function batched(judge: () => void): () => void {
  let due = false
  return () => {
    if (due) return
    due = true
    setImmediate(() => {
      due = false
      judge()
    })
  }
}

interface Sink {
  readonly seen: Seen
  readonly changed: () => void
  readonly end: () => void
}

type Handler = (event: ReflectEvent<KubeObject>) => void

async function watchAll(
  client: KubeClient,
  options: FollowOptions,
  { seen, changed, end }: Sink,
): Promise<void> {
  const { namespace, oldEvents, signal } = options
  const at = (apiVersion: string, plural: string) => resourcePath({ apiVersion, plural, namespace })
  const watch = (what: Omit<ReflectOptions, 'signal'>, handler: Handler) =>
    reflect(client, { ...what, signal }, handler)
  const daemonSets = keepIn(seen.daemonSets, { schema: daemonSetSchema, changed })
  const pods = keepIn(seen.pods, { schema: podSchema, changed })
  const events = keepIn(seen.events, { schema: eventSchema, changed })
  const health = healthOf(seen, end)
  await Promise.all([
    watch(
      { path: at('apps/v1', 'daemonsets'), fieldSelector: `metadata.name=${agentName}` },
      both(daemonSets, health),
    ),
    watch({ path: at('v1', 'pods'), labelSelector: agentSelector }, both(pods, health)),
    // They only tell why: without the right to read them there is less to tell.
    watch({ path: at('v1', 'events') }, (event) => events(withoutOld(event, oldEvents))),
  ])
}

function both(first: Handler, second: Handler): Handler {
  return (event) => {
    first(event)
    second(event)
  }
}

/** Notes whether the server is there; that it refuses is the end. */
function healthOf(seen: Seen, end: () => void): Handler {
  return (event) => {
    if (event.type !== 'state') return
    seen.failure = event.state === 'disconnected' ? event.error : undefined
    if (['FORBIDDEN', 'UNAUTHORIZED'].includes(seen.failure?.code ?? '')) end()
  }
}

function withoutOld(event: ReflectEvent<KubeObject>, old: ReadonlySet<string>): ReflectEvent<KubeObject> {
  if (event.type !== 'synced') return event
  return { type: 'synced', items: event.items.filter((item) => !old.has(versionOf(item))) }
}
