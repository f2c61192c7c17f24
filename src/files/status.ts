import type { Problem } from './operation.ts'
import type { Path } from './tree.ts'

/** What a session is doing. */
export type SessionPhase =
  /** First scans of both sides are under way. */
  | 'scanning'
  /** Operations are being carried out. */
  | 'syncing'
  /** Both sides hold the same, but for conflicts and problems. */
  | 'in-sync'
  /** A safety rule stopped it; `halt` says which. Nothing is written until a person decides. */
  | 'halted'
  | 'ended'

/** Two changes that cannot both stand. Both versions stay where they are until somebody decides. */
export interface Conflict {
  readonly path: Path
  /** A sentence: what each side did. */
  readonly message: string
  /** Both versions are to stay, and will. */
  readonly isTwin?: true
}

/** A session as others see it; plain data, safe to send as JSON. */
export interface SessionStatus {
  readonly phase: SessionPhase
  readonly halt?: string
  /** Entries on each side, the root not counted. */
  readonly entries: { readonly local: number; readonly remote: number }
  /** The transfer under way: operations and bytes of content, done and in all. */
  readonly progress?: {
    readonly done: number
    readonly total: number
    readonly bytesDone: number
    readonly bytesTotal: number
  }
  readonly conflicts: readonly Conflict[]
  readonly problems: readonly (Problem & { readonly side: 'local' | 'remote' })[]
  /** Operations carried out since the session started, on each side. */
  readonly applied: { readonly local: number; readonly remote: number }
  /** Entries in the container that are not agreed on, conflicts among them; told in sync and at the end, if there are. */
  readonly own?: number
}
