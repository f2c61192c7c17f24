import { nameOf, parentOf } from '../path.ts'
import { foldersFrom } from './children.ts'
import type { Dirt } from './dirt.ts'
import type { Folder, Holding } from './holding.ts'
import type { Watches } from './watches.ts'

/** All in milliseconds. */
const TICK = 1000
/** A directory without a watch is listed again after a second, or later if there are very many. */
const POLL_A_DIRECTORY = 1
const SWEEP_EVERY = 5 * 60_000
/** How long a sweep over the whole tree takes, so that nobody notices it. */
const SWEEP = 60_000

export interface UpkeepOptions {
  readonly holding: Holding
  readonly watches: Watches
  /** Looks whether the root is still there, and at what is dirty. */
  readonly wake: (soil: (dirt: Dirt) => void) => void
}

/** What has to be looked at now and then, since nobody reports it. */
export class Upkeep {
  private readonly options: UpkeepOptions
  private readonly timer: NodeJS.Timeout
  private polledAt = 0
  private sweptAt = performance.now()
  /** Directories that the sweep under way has yet to come to. */
  private sweep: Folder[] = []
  private batch = 0

  constructor(options: UpkeepOptions) {
    this.options = options
    this.timer = setInterval(() => this.tick(performance.now()), TICK).unref()
  }

  close(): void {
    clearInterval(this.timer)
  }

  private tick(now: number): void {
    const { shared } = this.options.holding
    const due = [...this.duePolls(now), ...this.dueSweep(now), ...shared].filter((folder) => !folder.gone)
    this.options.wake((dirt) => {
      // Nobody reports that a volume goes.
      for (const { path } of this.options.holding.mounts) dirt.add(parentOf(path), nameOf(path))
      for (const folder of due) dirt.addPath(folder.path)
    })
  }

  private duePolls(now: number): Iterable<Folder> {
    const { unwatched } = this.options.watches
    if (unwatched.size === 0 || now - this.polledAt < unwatched.size * POLL_A_DIRECTORY) return []
    this.polledAt = now
    return unwatched
  }

  /** inotify does not see everything (mounts, other hosts of a network filesystem), so all is listed at times. */
  private dueSweep(now: number): Folder[] {
    if (this.sweep.length === 0) {
      if (now - this.sweptAt < SWEEP_EVERY) return []
      this.sweptAt = now
      this.sweep = foldersFrom(this.options.holding.top)
      this.batch = Math.ceil((this.sweep.length * TICK) / SWEEP)
    }
    return this.sweep.splice(-this.batch)
  }
}
