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
    if (sep === '\\' && isBadOnWindows(name)) {
      throw new KubesyncError('BAD_NAME', `${name} cannot be a name on Windows`)
    }
    return this.self + sep + name
  }
}

function notADirectory(path: string): Error {
  return Object.assign(new Error(`ENOTDIR: not a directory, open '${path}'`), { code: 'ENOTDIR' })
}

/**
 * Whether Windows would make something else of a name: a path, a drive, a stream, a device, or the name without what it
 * ends in (see "Naming Files, Paths, and Namespaces" in its documentation).
 */
export function isBadOnWindows(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return /[<>:"/\\|?*\0-\x1f]|[. ]$|^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?$/i.test(name)
}
