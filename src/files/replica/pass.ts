import { joinPath, nameOf, parentOf } from '../path.ts'
import type { Digest, Path, Stamp } from '../tree.ts'
import type { Dir } from './dir.ts'
import { DirCursor } from './dir-cursor.ts'
import type { Dirt } from './dirt.ts'
import { hashFile } from './hash.ts'
import type { Folder, Holding } from './holding.ts'
import { type Frame, isSameDirectory, Looker, type LookOptions } from './look.ts'
import { Pace } from './pace.ts'
import type { Ruling } from './ruling.ts'
import { isRacy } from './stamp.ts'

export type PassOptions = Omit<LookOptions, 'doubt' | 'list'> & {
  readonly root: Dir
  /** Whether only a listing tells by which name something is there. */
  readonly isFolding: boolean
  /** Called now and then while it looks. */
  readonly onRest: () => void
}

/** Names that are looked at together. */
const AHEAD = 64

interface Doubt {
  readonly folder: Folder
  readonly name: string
  readonly stamp: Stamp
}

/**
 * One pass over what is dirty, or over everything. Directories that turn up are looked through at once, so
 * that at its end, and only then, the tree is a snapshot: one could have been taken for deleted that had
 * merely not been listed yet.
 */
export class Pass {
  private readonly root: Dir
  private readonly holding: Holding
  private readonly looker: Looker
  private readonly cursor = new DirCursor()
  private readonly pace = new Pace()
  private readonly frames: Frame[] = []
  private readonly doubts: Doubt[] = []
  /** Directories to be listed as well. */
  private readonly unlisted = new Set<Folder>()
  private readonly ruling: Ruling
  private readonly isFolding: boolean
  private readonly onRest: () => void

  constructor(options: PassOptions) {
    this.root = options.root
    this.holding = options.holding
    this.ruling = options.ruling
    this.isFolding = options.isFolding
    this.onRest = options.onRest
    this.looker = new Looker({
      ...options,
      list: (folder) => this.unlisted.add(folder),
      doubt: (folder, name, stamp) => this.doubts.push({ folder, name, stamp }),
    })
  }

  /** Throws system errors when the root itself cannot be listed. */
  async run(dirt: Dirt): Promise<void> {
    try {
      if (dirt.everything) await this.list('', true)
      else await this.lookAtDirt(dirt)
      await this.listRest()
      await this.settleDoubts()
    } finally {
      this.cursor.release()
      for (const { dir } of this.frames.splice(0)) this.close(dir)
    }
  }

  private async lookAtDirt(dirt: Dirt): Promise<void> {
    const { names, listings } = dirt.withListings((name) => this.isFolding || this.ruling.isRuleFile(name))
    // Parents first: what they say of their children may settle it.
    for (const path of [...listings].sort()) await this.list(path, false)
    for (const directory of [...names.keys()].sort()) {
      if (listings.has(directory)) continue
      for (const name of names.get(directory) ?? []) {
        this.lookAt(directory, name, false)
        await this.drain()
      }
    }
  }

  private async listRest(): Promise<void> {
    // It grows while it is gone through.
    for (const folder of this.unlisted) {
      this.unlisted.delete(folder)
      if (!folder.gone) await this.list(folder.path, false)
    }
  }

  private async list(path: Path, deep: boolean): Promise<void> {
    const { top } = this.holding
    if (top === undefined) return
    if (path === '') {
      const { frame, undecodable } = this.looker.open(this.root, top, deep)
      this.looker.placeUndecodable(top, undecodable)
      this.frames.push(frame)
    } else {
      this.lookAt(parentOf(path), nameOf(path), true)
    }
    await this.drain()
  }

  private lookAt(directory: Path, name: string, listing: boolean): void {
    const folder = this.holding.folderAt(directory)
    const dir = folder === undefined ? undefined : this.tryToOpen(directory)
    // In another directory by that name, and in a volume that was mounted over it, all would look deleted.
    if (
      folder !== undefined &&
      dir !== undefined &&
      (directory === '' || isSameDirectory(folder, dir.stat()))
    ) {
      const spot = { dir, folder, names: [], ahead: [], deep: false, now: Date.now(), hasIgnored: false }
      const frame = this.looker.look(spot, name, listing)
      if (frame !== undefined) this.frames.push(frame)
    } else if (directory !== '') {
      // That directory is not what the tree says: looking at it as a whole settles the name too.
      this.lookAt(parentOf(directory), nameOf(directory), true)
    }
  }

  private tryToOpen(directory: Path): Dir | undefined {
    try {
      return this.cursor.open(this.root, directory)
    } catch {
      return undefined
    }
  }

  /** Looks through the open directories, and at once through those that turn up in them. */
  private async drain(): Promise<void> {
    if (this.pace.due) await this.rest()
    for (let frame = this.frames.at(-1); frame !== undefined; frame = this.frames.at(-1)) {
      if (frame.ahead.length === 0) frame.ahead = frame.dir.lstatAhead(frame.names, AHEAD)
      const name = frame.folder.gone ? undefined : frame.names.pop()
      if (name === undefined) {
        this.frames.pop()
        this.looker.finish(frame)
        this.close(frame.dir)
      } else {
        const below = this.looker.look(frame, name)
        if (below !== undefined) this.frames.push(below)
      }
      if (this.pace.due) await this.rest()
    }
  }

  /** Reads the files whose stamps do not tell whether they changed, and says so if they did. */
  private async settleDoubts(): Promise<void> {
    for (const { folder, name, stamp } of this.doubts) {
      if (this.pace.due) await this.rest()
      const now = Date.now()
      const digest = folder.gone ? undefined : await this.digestOf(folder.path, name, stamp)
      if (digest === undefined || folder.gone) continue
      const isThere = this.holding.correct(joinPath(folder.path, name), stamp, digest)
      if (isThere) folder.noteRace(name, isRacy(stamp.mtimeMs, now))
    }
  }

  private async digestOf(directory: Path, name: string, stamp: Stamp): Promise<Digest | undefined> {
    const dir = this.tryToOpen(directory)
    if (dir === undefined) return undefined
    try {
      const digest = hashFile(dir, { name, stamp }, this.pace)
      if (!(digest instanceof Promise)) return digest
      this.cursor.release()
      return await digest
    } catch {
      return undefined
    }
  }

  private async rest(): Promise<void> {
    this.cursor.release()
    // What is known by now may change meanwhile, also by our own hands.
    for (const frame of this.frames) frame.ahead = []
    this.onRest()
    await this.pace.rest()
  }

  private close(dir: Dir): void {
    if (dir !== this.root) dir.close()
  }
}
