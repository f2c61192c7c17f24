import type { SessionStatus } from '../files/status.ts'
import type { KeptFolder } from './keeps/runner.ts'

/** What the running process tells of itself over its local socket; plain data, safe to send as JSON. */
export interface WatchStatus {
  readonly pid: number
  /** ISO 8601. */
  readonly startedAt: string
  readonly configPath: string
  /** Whether specs are synced. */
  readonly watches: boolean
  readonly specs: readonly SpecStatus[]
  /** Folders of manifests. */
  readonly keeps: readonly KeptFolder[]
}

export interface SpecStatus {
  readonly name: string
  /** `waiting`: no container matches yet; `disconnected`: the API server cannot be reached. */
  readonly state: 'waiting' | 'running' | 'disconnected' | 'failed'
  /** Why it waits, is disconnected or failed: a sentence. */
  readonly message?: string
  readonly sessions: readonly BoundSessionStatus[]
}

/** A session together with the container it is bound to. */
export interface BoundSessionStatus {
  readonly pod: string
  readonly node: string
  readonly container: string
  /** `leader` syncs as the spec says, as all do that are a `peer`; `follower` only receives. */
  readonly role: 'leader' | 'follower' | 'peer'
  /** Absent while the agent's node is being reached. */
  readonly session?: SessionStatus
  /** Why there is no session, or is none any more; it is tried again. Absent at the first attempt. */
  readonly message?: string
  /** The last reload since the watch began. */
  readonly reload?: ReloadReport
}

/** What came of a reload. */
export interface ReloadReport {
  /** When it began; ISO 8601. */
  readonly at: string
  /** As the spec says it: `restart`, `signal:HUP`, … */
  readonly how: string
  /** Milliseconds that it took; absent if it was not done. */
  readonly ms?: number
  /** Why it was not done: a sentence. */
  readonly error?: string
}

/** A reload that was asked for, and where. */
export interface Reloaded extends ReloadReport {
  readonly pod: string
  readonly container: string
}
