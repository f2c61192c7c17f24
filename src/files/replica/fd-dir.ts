import { closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs'
import { checkName, type Dir } from './dir.ts'
import { NamedDir } from './named-dir.ts'

const CLOSED = -1
const OPEN = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

let walks = false
/** The directory that this process stands in. */
let standing: FdDir | undefined

/**
 * From now on the working directory of this process is whatever directory was used last: a name is found from there in half
 * the time that it takes through `/proc`, and as safely. For a process that uses no relative path by itself, and not in
 * threads, which share a working directory.
 */
export function walkAbout(): void {
  walks = true
}

/**
 * A directory by its descriptor, on Linux. `/proc/self/fd/N` leads to the directory itself, not to a path, so
 * with one name after it every call is what `openat(2)` and its like are. inotify too holds on to the
 * directory, not to the path or the descriptor.
 */
export class FdDir extends NamedDir {
  readonly watchesBelow = false
  private fd: number

  /** Takes over the descriptor of a directory. */
  constructor(fd: number) {
    super(`/proc/self/fd/${fd}/`)
    this.fd = fd
  }

  override stat(): Stats {
    return fstatSync(this.fd)
  }

  override openDir(name: string): Dir {
    return new FdDir(openSync(this.at(name), OPEN))
  }

  override close(): void {
    closeSync(this.fd)
    // The number will soon be another file's.
    this.fd = CLOSED
    if (standing === this) standing = undefined
    this.self = `/proc/self/fd/${CLOSED}/`
  }

  override at(name: string): string {
    checkName(name)
    if (!walks) return this.self + name
    if (standing !== this) process.chdir(this.self)
    standing = this
    return name
  }

  override pathOf(name: string): string {
    checkName(name)
    return this.self + name
  }
}
