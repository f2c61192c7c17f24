import type { Path } from '../tree.ts'
import type { Attributes } from './attributes.ts'
import type { Dir } from './dir.ts'
import type { Folder, Holding } from './holding.ts'
import type { Refusal } from './refusal.ts'
import type { Ruling } from './ruling.ts'
import type { SumMemory } from './sum-memory.ts'

/** What reading, hashing and applying need of the replica that they are part of. */
export interface Site {
  readonly holding: Holding
  readonly ruling: Ruling
  readonly sums: SumMemory
  /** What new files and directories get. */
  readonly attributes: Attributes
  /** The root as of now; undefined if there is none. */
  readonly root: { readonly dir: Dir } | undefined
  /** Something at this path is not as it was expected to be: it is to be looked at. */
  suspect(path: Path): void
  /** Something is wrong that is of no single path. */
  complain(refusal: Refusal): void
  /** Watches a new directory. */
  watch(folder: Folder, dir: Dir): void
  /** A directory that is watched did not become part of the tree. */
  dismiss(folder: Folder): void
}
