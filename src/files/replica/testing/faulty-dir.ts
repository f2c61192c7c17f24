import type { Stats } from 'node:fs'
import type { Dir, File, Listing, Watching, WatchListener } from '../dir.ts'

/** A call on a Dir or on a File that came from one. */
export interface Call {
  readonly operation: string
  readonly name: string
}

export interface Interceptor {
  /** What it throws is what the call fails with. */
  readonly before?: (call: Call) => void
  /** May change what a filesystem says of a file. */
  readonly stats?: (stats: Stats) => void
}

export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: as ordered by the test`), { code })
}

/** A Dir that fails as it is told to; what comes out of it does too. */
export class FaultyDir implements Dir {
  readonly watchesBelow: boolean
  readonly dir: Dir
  private readonly interceptor: Interceptor

  constructor(dir: Dir, interceptor: Interceptor) {
    this.watchesBelow = dir.watchesBelow
    this.dir = dir
    this.interceptor = interceptor
  }

  stat(): Stats {
    return this.call('stat', '', () => this.dir.stat())
  }

  list(): Listing {
    return this.call('list', '', () => this.dir.list())
  }

  lstat(name: string): Stats | undefined {
    const stats = this.call('lstat', name, () => this.dir.lstat(name))
    if (stats !== undefined) this.interceptor.stats?.(stats)
    return stats
  }

  lstatAhead(): Stats[] {
    return []
  }

  readlink(name: string): Buffer {
    return this.call('readlink', name, () => this.dir.readlink(name))
  }

  openDir(name: string): Dir {
    return this.call('openDir', name, () => new FaultyDir(this.dir.openDir(name), this.interceptor))
  }

  openFile(name: string, access: 'read' | 'write'): File {
    return this.call('openFile', name, () =>
      faultyFile(this.dir.openFile(name, access), name, this.interceptor),
    )
  }

  createFile(name: string, mode: number): File {
    return this.call('createFile', name, () =>
      faultyFile(this.dir.createFile(name, mode), name, this.interceptor),
    )
  }

  mkdir(name: string, mode?: number): void {
    this.call('mkdir', name, () => this.dir.mkdir(name, mode))
  }

  symlink(target: string, name: string): void {
    this.call('symlink', name, () => this.dir.symlink(target, name))
  }

  rename(from: string, to: string): void {
    this.call('rename', to, () => this.dir.rename(from, to))
  }

  link(from: string, to: string): void {
    this.call('link', to, () => this.dir.link(from, to))
  }

  moveTo(name: string, target: Dir, as: string): void {
    this.call('moveTo', name, () => this.dir.moveTo(name, within(target), as))
  }

  linkTo(name: string, target: Dir, as: string): void {
    this.call('linkTo', name, () => this.dir.linkTo(name, within(target), as))
  }

  unlink(name: string): void {
    this.call('unlink', name, () => this.dir.unlink(name))
  }

  rmdir(name: string): void {
    this.call('rmdir', name, () => this.dir.rmdir(name))
  }

  chmod(mode: number): void {
    this.call('chmod', '', () => this.dir.chmod(mode))
  }

  chown(uid: number, gid: number): void {
    this.call('chown', '', () => this.dir.chown(uid, gid))
  }

  checkWritable(): void {
    this.call('checkWritable', '', () => this.dir.checkWritable())
  }

  watch(listener: WatchListener): Watching {
    return this.call('watch', '', () => this.dir.watch(listener))
  }

  /** A process that dies closes everything. */
  close(): void {
    this.dir.close()
  }

  private call<R>(operation: string, name: string, action: () => R): R {
    this.interceptor.before?.({ operation, name })
    return action()
  }
}

function within(dir: Dir): Dir {
  return dir instanceof FaultyDir ? dir.dir : dir
}

function faultyFile(file: File, name: string, { before, stats: change }: Interceptor): File {
  const call = <R>(operation: string, action: () => R): R => {
    before?.({ operation, name })
    return action()
  }
  return {
    stat: () => {
      const stats = call('file.stat', () => file.stat())
      change?.(stats)
      return stats
    },
    read: (buffer) => call('file.read', () => file.read(buffer)),
    readAt: (buffer, position) => call('file.read', () => file.readAt(buffer, position)),
    write: (bytes) => call('file.write', () => file.write(bytes)),
    writeSparsely: (bytes) => call('file.write', () => file.writeSparsely(bytes)),
    finish: () => call('file.finish', () => file.finish()),
    truncate: () => call('file.truncate', () => file.truncate()),
    chmod: (mode) => call('file.chmod', () => file.chmod(mode)),
    chown: (uid, gid) => call('file.chown', () => file.chown(uid, gid)),
    sync: () => call('file.sync', () => file.sync()),
    setMtime: (mtimeMs) => call('file.setMtime', () => file.setMtime(mtimeMs)),
    close: () => file.close(),
  }
}
