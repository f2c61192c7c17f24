import type { Stats } from 'node:fs'
import type { Dir } from '../replica/dir.ts'
import type { Digest, Path } from '../tree.ts'

/** What is about to go, and where it is. */
export interface Taken {
  readonly dir: Dir
  readonly name: string
  readonly path: Path
  readonly stats: Stats
  readonly digest?: Digest | undefined
  /** What is kept is to share nothing with it: it is not going to be replaced but written to. */
  readonly isApart?: boolean
}

/** Keeps what is at a name and about to be replaced. */
export type Keep = (taken: Omit<Taken, 'path' | 'digest'>) => Keeping

/** What becomes of what an apply removes or replaces. */
export interface Bin {
  /** Removes a file, a link or an empty directory. */
  remove(taken: Taken): void
  /** To be called right before a file or a link is replaced, which is not to be done if this throws. */
  keep(taken: Taken): Keeping
  close(): void
}

export interface Keeping {
  /** Whether what was kept shares nothing with what is there, so that this may be written to. */
  readonly isApart: boolean
  /** It is not replaced after all. */
  release(): void
}

/** Nothing is kept. */
export const noBin: Bin = {
  remove({ dir, name, stats }) {
    if (stats.isDirectory()) dir.rmdir(name)
    else dir.unlink(name)
  },
  keep: () => ({ isApart: true, release() {} }),
  close() {},
}
