import { lstatSync, type Stats } from 'node:fs'
import { sep } from 'node:path'
import { KubesyncError } from '../../errors.ts'
import { checkName, type Dir } from './dir.ts'
import { NamedDir } from './named-dir.ts'

/**
 * A directory by its path, where there is no /proc. Whoever can replace a directory above by a link between a
 * check and an act can lead it astray, so it is for the user's own files only.
 */
export class PathDir extends NamedDir {
  readonly watchesBelow = process.platform === 'darwin' || process.platform === 'win32'

  /** Throws ENOTDIR if that is not a directory, or a link. */
  constructor(path: string) {
    super(path)
    if (!this.stat().isDirectory()) throw notADirectory(path)
  }

  override stat(): Stats {
    return lstatSync(this.self)
  }

  override openDir(name: string): Dir {
    return new PathDir(this.at(name))
  }

  override close(): void {}

  override at(name: string): string {
    checkName(name)
    // On Windows these would make a path, a drive or a stream of it.
    if (sep === '\\' && /[\\:]/.test(name))
      throw new KubesyncError('BAD_NAME', `${name} cannot be a name here`)
    return this.self + sep + name
  }
}

function notADirectory(path: string): Error {
  return Object.assign(new Error(`ENOTDIR: not a directory, open '${path}'`), { code: 'ENOTDIR' })
}
