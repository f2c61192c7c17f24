import type { Readable } from 'node:stream'
import type { Signature } from '../blocks/signature.ts'
import type { RuleSet } from '../ignore/rule-set.ts'
import type { Operation, Outcome, Problem, Source } from '../operation.ts'
import type { Delta, Digest, Path, Stamp, Tree } from '../tree.ts'

/**
 * The holder of one side of a sync, wherever it lives: in a worker thread of this process or on a node
 * behind `wire`. It watches by itself and pushes deltas; it decides nothing.
 */
export interface Replica extends ContentSource {
  /** As of the last snapshot: a root that was replaced by another has other ids. */
  readonly info: ReplicaInfo
  /** The last snapshot it told of. */
  readonly tree: Tree
  /** Paths that could not be read, by path, as of the last snapshot. */
  readonly problems: ReadonlyMap<Path, Problem>
  /** What is ignored, and so is not in the tree; undefined while that is being changed. */
  readonly rules: RuleSet | undefined
  /** Has it ignore by these rules alone; resolves once a snapshot by them was delivered. */
  follow(rules: RuleSet): Promise<void>
  /** Calls back after every new snapshot with what changed; returns the way to stop that. */
  subscribe(listener: (delta: Delta) => void): () => void
  /** Scans these paths (or everything) now; resolves once deltas up to that scan were delivered. */
  rescan(paths: readonly Path[] | 'all'): Promise<void>
  /** Digests of files as they were at `stamp`; undefined where that is not on disk any more. */
  hash(requests: readonly HashRequest[]): Promise<(Digest | undefined)[]>
  /** What its clock says while it is asked, in milliseconds since 1970. */
  time(): Promise<number>
  /**
   * Carries out operations here; content of `put`s comes from `source`. Outcomes arrive in batches, one
   * for each operation in the end, and are in `tree` by then; ending the iteration early cancels what is
   * left. What goes wrong with the source is an outcome; when this replica is gone the iteration throws.
   * The trash, if it has one, remembers the origin.
   */
  apply(
    operations: readonly Operation[],
    source: ContentSource,
    origin?: Origin,
  ): AsyncIterable<readonly Outcome[]>
  /** Resolves when the replica is gone, with the reason; never rejects. */
  readonly closed: Promise<CloseReason>
  close(): Promise<void>
}

/** Whose changes are carried out. */
export interface Origin {
  readonly spec: string
  readonly pod: string
  readonly container: string
}

/** Where the content of files comes from. */
export interface ContentSource {
  /**
   * The content of these files, in this order, packed as the `apply` of any replica takes it (see
   * `content.ts`): one stream however many files. Files that changed are told of within the stream.
   */
  read(requests: readonly ReadRequest[]): Readable
  /** Told of bytes that whoever applies has taken from its node's store; not of all of them at once. */
  taken?(bytes: number): void
}

export type ReadRequest = Source & {
  readonly path: Path
  /** What the receiver has already; without it all content is sent. */
  readonly signature?: Signature
}

/** A file that is about to be written, and what is there that it may share blocks with. */
export interface SignRequest {
  readonly path: Path
  /** Of the file that is to be replaced, if it is worth looking at. */
  readonly old?: Stamp
  /** Bytes. */
  readonly blockSize: number
}

export interface HashRequest {
  readonly path: Path
  readonly stamp: Stamp
}

export interface CloseReason {
  /** `closed`: we asked for it; `ended`: the other end left in good order; `lost`: it vanished. */
  readonly kind: 'closed' | 'ended' | 'lost'
  readonly message: string
}

export interface ReplicaInfo {
  /** Tells one root from another for as long as it exists: device and inode. */
  readonly root: { readonly dev: number; readonly ino: number }
  /**
   * What the root stands on: `container` for a container's own layer, which is new with each container, or
   * `volume` with an identity that outlives the container; `local` on the laptop.
   */
  readonly storage: {
    readonly kind: 'local' | 'container' | 'volume'
    readonly id: string
    /** Where something else is mounted below a container's own layer: what is there outlives the container. */
    readonly volumes?: readonly Path[]
  }
  /** The ids it writes as. */
  readonly uid: number
  readonly gid: number
  /** Why it cannot write into the root, or undefined if it can. */
  readonly readOnly: string | undefined
}
