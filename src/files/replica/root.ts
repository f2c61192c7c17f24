import { errnoOf } from '../../errors.ts'
import type { Dir } from './dir.ts'
import { type Refusal, refusalOf } from './refusal.ts'
import type { ReplicaInfo } from './replica.ts'

/** The directory that a replica is of. */
export interface Root {
  /** Belongs to whoever opened it, from then on. */
  readonly dir: Dir
  readonly storage: ReplicaInfo['storage']
}

/**
 * Opens the root; undefined, or a system error, if it is not there. It is asked again and again, to find
 * out whether the root is still the same one and whether one that vanished is back.
 */
export type OpenRoot = () => Root | undefined

const MISSING: Refusal = { code: 'ROOT_MISSING', message: 'does not exist' }

/** Holds the root that is there now. */
export class RootKeeper {
  current: Root | undefined
  /** Why there is none. */
  problem: Refusal | undefined
  private readonly openRoot: OpenRoot

  constructor(openRoot: OpenRoot) {
    this.openRoot = openRoot
  }

  /** Looks whether the root is still the same; true if it is not. */
  check(): boolean {
    const opened = this.tryToOpen()
    if (opened === undefined && this.current === undefined) return false
    if (opened !== undefined && this.current !== undefined && isSame(opened.dir, this.current.dir)) {
      opened.dir.close()
      return false
    }
    this.close()
    this.current = opened
    return true
  }

  /** The root turned out to be unusable. */
  giveUp(error: unknown): void {
    this.close()
    this.problem = refusalOf(error, 'listed')
  }

  close(): void {
    this.current?.dir.close()
    this.current = undefined
  }

  private tryToOpen(): Root | undefined {
    let root: Root | undefined
    try {
      root = this.openRoot()
      // One that cannot be listed would look empty.
      if (this.current === undefined) root?.dir.list()
      this.problem = root === undefined ? MISSING : undefined
      return root
    } catch (error) {
      root?.dir.close()
      this.problem = errnoOf(error) === 'ENOENT' ? MISSING : refusalOf(error, 'opened')
      return undefined
    }
  }
}

function isSame(a: Dir, b: Dir): boolean {
  const [one, other] = [a.stat(), b.stat()]
  return one.dev === other.dev && one.ino === other.ino
}
