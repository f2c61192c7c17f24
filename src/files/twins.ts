import { createHash } from 'node:crypto'
import type { Conflicts } from './conflicts.ts'
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
  readonly conflicts: Pick<Conflicts, 'resolve'>
  /** Called when there may be more to do. */
  readonly onChange: () => void
}

/** Settles by itself the conflicts in which both versions are to stay. */
export class Twins {
  private readonly options: TwinsOptions
  private readonly attempts = new Map<Path, number>()
  private readonly underWay = new Set<Path>()

  constructor(options: TwinsOptions) {
    this.options = options
  }

  settle(): void {
    for (const { path, isTwin } of this.options.current()) {
      if (this.underWay.size >= MAX_UNDER_WAY) return
      const isDue = isTwin === true && !this.underWay.has(path)
      if (isDue && (this.attempts.get(path) ?? 0) < MAX_ATTEMPTS) void this.keepBoth(path)
    }
  }

  private async keepBoth(path: Path): Promise<void> {
    this.underWay.add(path)
    this.attempts.set(path, (this.attempts.get(path) ?? 0) + 1)
    try {
      await this.options.conflicts.resolve(path, 'both', wordFor)
      this.attempts.delete(path)
    } catch {
      // It is told of as a conflict until it succeeds.
    } finally {
      this.underWay.delete(path)
      this.options.onChange()
    }
  }
}

/** What tells remote's version from others in its name: the same again after a crash. */
function wordFor({ digest, target = '' }: Version): string {
  const hex = digest ?? createHash('sha256').update(target).digest('hex')
  return `conflict-remote-${hex.slice(0, SHORT)}`
}
