import { createHash } from 'node:crypto'
import type { Conflicts } from './conflicts.ts'
import { parentOf } from './path.ts'
import type { Replica } from './replica/replica.ts'
import type { Side } from './side.ts'
import type { Conflict } from './status.ts'
import type { Path } from './tree.ts'
import type { Version } from './version.ts'

/** At the same time: enough that answers do not hold up the rest. */
const MAX_UNDER_WAY = 8
/** What keeps changing, or cannot be kept twice, waits for a person. */
const MAX_ATTEMPTS = 3
/** Characters of a digest that tell two versions apart. */
const SHORT = 8

export interface TwinsOptions {
  readonly current: () => readonly Conflict[]
  readonly conflicts: Pick<Conflicts, 'resolve' | 'alone'>
  readonly replicas: Readonly<Record<Side, Replica>>
  /** Called when there may be more to do. */
  readonly onChange: () => void
}

/** Settles by itself the conflicts in which both versions are to stay. */
export class Twins {
  private readonly options: TwinsOptions
  /** By path and what is in conflict there. */
  private readonly attempts = new Map<string, number>()
  private readonly underWay = new Set<Path>()

  constructor(options: TwinsOptions) {
    this.options = options
  }

  get isBusy(): boolean {
    return this.underWay.size > 0
  }

  settle(): void {
    for (const { path, message, isTwin } of this.options.current()) {
      if (this.underWay.size >= MAX_UNDER_WAY) return
      const isDue = isTwin === true && !this.underWay.has(path)
      const what = `${path}\n${message}`
      const attempts = this.attempts.get(what) ?? 0
      if (!isDue || attempts >= MAX_ATTEMPTS) continue
      this.attempts.set(what, attempts + 1)
      void this.keepBoth(path).then((isDone) => isDone && this.attempts.delete(what))
    }
  }

  private async keepBoth(path: Path): Promise<boolean> {
    this.underWay.add(path)
    try {
      await this.options.conflicts.resolve(path, 'both', wordFor)
      return true
    } catch {
      // It is told of as a conflict until it succeeds.
      await this.lookAgain(path)
      return false
    } finally {
      this.underWay.delete(path)
      this.options.onChange()
    }
  }

  /** Both sides tell what they have there now, before it is tried again. */
  private async lookAgain(path: Path): Promise<void> {
    const { conflicts, replicas } = this.options
    const around = [parentOf(path)]
    const look = () => Promise.all([replicas.local.rescan(around), replicas.remote.rescan(around)])
    // A replica that cannot answer is about to be closed.
    await conflicts.alone(path, look).catch(() => {})
  }
}

/** What tells remote's version from others in its name: the same again after a crash. */
function wordFor({ digest, target = '' }: Version): string {
  const hex = digest ?? createHash('sha256').update(target).digest('hex')
  return `conflict-remote-${hex.slice(0, SHORT)}`
}
