import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  type Stats,
  symlinkSync,
  unlinkSync,
  watch,
} from 'node:fs'
import { sep } from 'node:path'
import type { Dir, File, Listing, Watching, WatchListener } from './dir.ts'
import { listNames } from './listing.ts'
import { OpenFile } from './open-file.ts'

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL } = constants
/** Windows has none of these, and no such thing as they are against. */
const { O_NOFOLLOW = 0, O_NONBLOCK = 0, O_NOCTTY = 0 } = constants
const OPEN = { read: O_RDONLY, write: O_WRONLY } as const
const OPEN_SAFELY = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
const CREATE = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW

/** What is the same for every Dir that can give the kernel a path for itself and for a name in it. */
export abstract class NamedDir implements Dir {
  abstract readonly watchesBelow: boolean
  /** Leads to the directory itself, whatever may have become of its name. */
  protected self: string

  protected constructor(self: string) {
    this.self = self
  }

  abstract stat(): Stats
  abstract openDir(name: string): Dir
  abstract close(): void
  /** Leads to a name in it until another directory is used; throws if that is not a name. */
  abstract at(name: string): string

  /** The same for longer. */
  pathOf(name: string): string {
    return this.at(name)
  }

  list(): Listing {
    return listNames(this.self)
  }

  lstat(name: string): Stats | undefined {
    return lstatSync(this.at(name), { throwIfNoEntry: false })
  }

  lstatAhead(_names: readonly string[], _most: number): (Stats | undefined)[] {
    return []
  }

  readlink(name: string): Buffer {
    return readlinkSync(this.at(name), { encoding: 'buffer' })
  }

  openFile(name: string, access: 'read' | 'write'): File {
    return new OpenFile(openSync(this.at(name), OPEN[access] | OPEN_SAFELY))
  }

  createFile(name: string, mode: number): File {
    return new OpenFile(openSync(this.at(name), CREATE, mode))
  }

  mkdir(name: string, mode?: number): void {
    mkdirSync(this.at(name), mode)
  }

  symlink(target: string, name: string): void {
    symlinkSync(target, this.at(name))
  }

  rename(from: string, to: string): void {
    renameSync(this.at(from), this.at(to))
  }

  link(from: string, to: string): void {
    linkSync(this.at(from), this.at(to))
  }

  moveTo(name: string, target: Dir, as: string): void {
    renameSync(this.at(name), pathIn(target, as))
  }

  linkTo(name: string, target: Dir, as: string): void {
    linkSync(this.at(name), pathIn(target, as))
  }

  unlink(name: string): void {
    unlinkSync(this.at(name))
  }

  rmdir(name: string): void {
    rmdirSync(this.at(name))
  }

  chmod(mode: number): void {
    chmodSync(this.self, mode)
  }

  chown(uid: number, gid: number): void {
    chownSync(this.self, uid, gid)
  }

  checkWritable(): void {
    accessSync(this.self, constants.W_OK | constants.X_OK)
  }

  watch(listener: WatchListener): Watching {
    const watcher = watch(this.self, { recursive: this.watchesBelow }, (type, name) =>
      listener(name === null ? undefined : name.replaceAll(sep, '/'), type === 'rename'),
    )
    watcher.on('error', () => listener(undefined, true))
    return watcher
  }
}

function pathIn(dir: Dir, name: string): string {
  if (dir instanceof NamedDir) return dir.pathOf(name)
  throw new TypeError('only a directory of the kernel can be a target')
}
