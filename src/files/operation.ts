import type { Digest, Entry, Path, Stamp } from './tree.ts'

/** What must be on disk for an operation to be carried out: nothing, or exactly what the scan saw. */
export type Expectation = 'absent' | Stamp

/** Content that the other side holds. The digest is known only if somebody needed it before. */
export interface Source {
  readonly stamp: Stamp
  readonly digest?: Digest
}

/** A file of the side that is written to which has the content already. */
export interface Original {
  readonly path: Path
  readonly stamp: Stamp
}

/**
 * One change to carry out on a side. Operations of a plan are in an order in which they can be carried
 * out: removals before creations at the same path, children before their directory when removing,
 * directories before their children when creating.
 */
export type Operation =
  | { readonly op: 'mkdir'; readonly path: Path; readonly expect: Expectation }
  | {
      readonly op: 'put'
      readonly path: Path
      readonly expect: Expectation
      readonly executable: boolean
      readonly source: Source
      /** Where the content is copied from; the digest of the source is known then. Unless given, it is sent. */
      readonly original?: Original
    }
  | {
      readonly op: 'symlink'
      readonly path: Path
      readonly expect: Expectation
      readonly target: string
    }
  | {
      readonly op: 'chmod'
      readonly path: Path
      readonly expect: Expectation
      readonly executable: boolean
    }
  | { readonly op: 'remove'; readonly path: Path; readonly expect: Expectation }

/** What became of an operation. */
export type Outcome =
  /** Carried out. `entry` is what is on disk now (with the digest of what was written); null after a removal. */
  | { readonly result: 'done'; readonly path: Path; readonly entry: Entry | null }
  /** What is on disk is not what was expected: left alone, to be scanned and decided again. */
  | { readonly result: 'stale'; readonly path: Path }
  /** The source changed or vanished while it was read: nothing was written. */
  | { readonly result: 'source-changed'; readonly path: Path }
  | { readonly result: 'failed'; readonly path: Path; readonly problem: Problem }

/** A path that could not be read or written. Data, never the end of a session. */
export interface Problem {
  readonly path: Path
  /** The system's code where there is one (`EACCES`, `ENOSPC`), else our own. */
  readonly code: string
  /** A sentence for a person. */
  readonly message: string
}

const VOLUME_CODES = new Set(['ENOSPC', 'EDQUOT', 'EROFS'])

/** Whether a problem is one of a whole volume, so that what else is to be written there is refused as well. */
export function concernsVolume({ code }: Pick<Problem, 'code'>): boolean {
  return VOLUME_CODES.has(code)
}
