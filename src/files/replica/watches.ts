import { readFileSync } from 'node:fs'
import { joinPath, nameOf, parentOf } from '../path.ts'
import type { Path } from '../tree.ts'
import type { Dir } from './dir.ts'
import type { Folder } from './holding.ts'
import { isTemporary } from './temporary.ts'

const DEFAULT_QUEUE = 16_384

export interface WatchesOptions {
  /** Something happened to a name in a directory; undefined: somewhere in it. */
  readonly onChange: (directory: Path, name: string | undefined) => void
  /** Whether a name in a directory is ignored, whatever it is. */
  readonly isIgnored: (folder: Folder, name: string) => boolean
  /** Events may have been lost. */
  readonly onOverflow: () => void
}

/** Watches directories, each with a watch of its own unless the platform has watches for whole trees. */
export class Watches {
  /** Directories that could not be watched. */
  readonly unwatched = new Set<Folder>()
  private readonly options: WatchesOptions
  /**
   * inotify drops events when its queue is full, and Node does not tell. A queue that was full is read at one
   * go, so as many events in one round of the event loop mean that some may be missing; half as many are
   * taken for it, since events of watches that were closed meanwhile come to nobody.
   */
  private readonly limit = queueLength() / 2
  private events = 0

  constructor(options: WatchesOptions) {
    this.options = options
  }

  watch(folder: Folder, dir: Dir): void {
    if (folder.watching !== undefined || (dir.watchesBelow && folder.path !== '')) return
    try {
      folder.watching = dir.watch((name, isRename) => this.changed(folder, name, isRename))
      this.unwatched.delete(folder)
    } catch {
      // ENOSPC and EMFILE: the user's limits of watches. Whatever else it is, the directory is polled.
      this.unwatched.add(folder)
    }
  }

  unwatch(folder: Folder): void {
    folder.watching?.close()
    folder.watching = undefined
    this.unwatched.delete(folder)
  }

  private changed(folder: Folder, name: string | undefined, isRename: boolean): void {
    this.count()
    // Of other directories that change themselves, their parents' watches tell.
    if (name === undefined || (name === '' && folder.path === '')) {
      this.options.onChange(folder.path, undefined)
    } else if (name !== '' && !isTemporary(nameOf(name))) {
      // What is written to it changes nothing for anybody.
      if (!isRename && !name.includes('/') && this.options.isIgnored(folder, name)) return
      // A watch of a whole tree reports paths.
      const path = joinPath(folder.path, name)
      this.options.onChange(parentOf(path), nameOf(path))
    }
  }

  private count(): void {
    this.events++
    if (this.events === 1) {
      setImmediate(() => {
        this.events = 0
      })
    } else if (this.events === this.limit) {
      this.options.onOverflow()
    }
  }
}

/** How many events inotify keeps before it drops some. */
function queueLength(): number {
  try {
    const length = Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8'))
    return Number.isSafeInteger(length) && length > 1 ? length : DEFAULT_QUEUE
  } catch {
    return DEFAULT_QUEUE
  }
}
