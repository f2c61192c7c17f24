import type { NodeConnection } from '../agent/connect.ts'
import type { PodTarget } from '../agent/ephemeral/connect.ts'
import type { Spec } from '../config/spec.ts'
import type { OnApplied } from '../files/aftermath.ts'
import type { BaseStore } from '../files/base/store.ts'
import type { TextStore } from '../files/base/texts.ts'
import type { Conflicts } from '../files/conflicts.ts'
import type { Merging } from '../files/merging.ts'
import type { Replica } from '../files/replica/replica.ts'
import type { RulesToFollow } from '../files/replica/ruling.ts'
import type { SessionStatus } from '../files/status.ts'
import type { Exclusions } from '../files/ways.ts'
import type { Binding } from './bindings.ts'
import type { Pod } from './pods.ts'
import type { Pace } from './waiting.ts'

/** What the supervisor has of the world outside; a test brings one of its own. */
export interface World {
  /** Rejects when there is no such context. */
  openCluster(context: string): Promise<Cluster>
  /** Rejects with a KubesyncError when the folder is missing. */
  openLocal(path: string, orders: RulesToFollow): Promise<Replica>
  /** What was agreed on, kept at a path. Throws BASE_UNREADABLE. */
  openBase(path: string): BaseStore
  startSession(parts: SessionParts, home: SessionHome): Promise<RunningSession>
  readonly pace: Pace
  /** Milliseconds that connections and replicas stay open without sessions. */
  readonly lingerMs: number
}

/** The API server of a context, which may be away at any time. */
export interface Cluster {
  /** Tells of the pods until it is stopped, and keeps trying while the server is away. */
  watchPods(query: PodQuery, listener: (event: PodsEvent) => void): () => void
  /** Connects to the agent on a node; rejects with NO_AGENT where there is none. */
  connectNode(node: string): Promise<NodeConnection>
  /** Starts an agent in a pod itself, for one container of it. */
  connectPod(target: PodTarget): Promise<NodeConnection>
  /** Runs a command in a bound container, to its end; rejects with what it said unless its exit code is 0. */
  exec(namespace: string, binding: Binding, command: readonly string[]): Promise<void>
  /** Calls back when an agent came, went or got ready; returns the way to stop that. */
  onAgents(listener: () => void): () => void
  close(): void
}

export type PodQuery = Pick<Spec, 'namespace' | 'selector' | 'pod'>

export type PodsEvent =
  /** All pods that match now. */
  | { readonly type: 'pods'; readonly pods: readonly Pod[] }
  | { readonly type: 'reachable' }
  /** What was told last may be old. */
  | { readonly type: 'unreachable'; readonly error: Error }

/** The spec that a session is of. */
export interface SessionHome {
  /** Its name. */
  readonly spec: string
  /** The folder here. */
  readonly folder: string
  readonly texts: TextStore
}

export interface SessionParts {
  readonly binding: Binding
  readonly local: Replica
  readonly remote: Replica
  readonly exclusions: Exclusions
  /** Not bound yet; whoever opened it closes it, after the session. */
  readonly base: BaseStore
  /** The container stands in for another that was in sync: what the local folder holds is what it should. */
  readonly successor: boolean
  readonly onStatus: (status: SessionStatus) => void
  readonly onApplied: OnApplied
  /** Told what a person should know and no status says. */
  readonly warn: (message: string) => void
}

export interface RunningSession {
  /** Resolves with the reason when it ended by itself or was stopped; never rejects. */
  readonly closed: Promise<string>
  stop(): Promise<void>
  /** Goes on although a safety rule halted it. */
  resume(): void
  readonly conflicts: Pick<Conflicts, 'list' | 'resolve'>
  readonly merging: Pick<Merging, 'preview' | 'carryOut'>
  /** The content of a file in the container, up to so many bytes. */
  fetch(path: string, limit: number): Promise<Buffer>
}

/** What happened, for a person; `spec` is the name of the one it happened to, `keep` the folder of manifests. */
export interface LogEvent {
  readonly level: 'info' | 'warn' | 'error'
  readonly spec?: string
  readonly keep?: string
  readonly message: string
}

export type Log = (event: LogEvent) => void
