import type { Contact, Mode } from '../merge/decide.ts'
import type { BaseTree } from './base/base.ts'
import type { Clocks } from './newest.ts'
import type { Draft } from './plan.ts'
import type { Side } from './side.ts'
import type { Digest, Node, Path, Stamp } from './tree.ts'
import type { Way, Ways } from './ways.ts'

/** Digests that were asked for, by path, each with the stamp of the file it is the digest of. */
export type Digests = Readonly<
  Record<Side, ReadonlyMap<Path, { readonly stamp: Stamp; readonly digest: Digest }>>
>

/** Paths that are left alone for now, with all below them. */
export type Locked = Pick<ReadonlySet<Path>, 'has' | 'keys'>

/** What holds everywhere in one run of reconcile. */
export interface Run {
  readonly ways: Ways
  readonly contact: Contact
  /** Paths on remote where seeding would overwrite what outlived the container that it was made in. */
  readonly volumes: readonly Path[]
  readonly locked: Locked
  readonly digests: Digests
  readonly clocks: Clocks | undefined
  readonly plan: Draft
  /** Merges everything below a directory. */
  readonly descend: (place: Place) => Remains
}

/** The sides on which something is left somewhere once the plan is carried out. */
export type Remains = number
export const NONE: Remains = 0
export const BOTH: Remains = 3
export const only: Readonly<Record<Side, Remains>> = { local: 1, remote: 2 }

/** A path, and what the base and both sides have there. */
export interface Spot {
  readonly path: Path
  /** The directory it is in; undefined for the root. */
  readonly parent: Place | undefined
  readonly base: BaseTree | undefined
  readonly local: Node | undefined
  readonly remote: Node | undefined
  /** Which way changes of it travel. */
  readonly way: Way
}

/** A directory on the way down. */
export interface Place extends Spot {
  /** The sides it is on, or will be by what is planned. */
  readonly on: Record<Side, boolean>
}

export function placeAt(spot: Spot, on: Record<Side, boolean>): Place {
  const { path, parent, base, local, remote, way } = spot
  return { path, parent, base, local, remote, way, on }
}

/** How to decide on a path; nothing is decided where no change travels. */
export function modeAt({ way }: Spot): Mode {
  return way === 'none' ? 'two-way-safe' : way
}

/** What is left at a path if nothing is done there. */
export function remaining({ local, remote }: Spot): Remains {
  return (local === undefined ? NONE : only.local) | (remote === undefined ? NONE : only.remote)
}
