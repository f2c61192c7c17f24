import { constants, existsSync, openSync } from 'node:fs'
import type { Dir } from './dir.ts'
import { FdDir } from './fd-dir.ts'
import { PathDir } from './path-dir.ts'

/** Opens the directory at a path of this machine, as safely as the platform allows. A link is not followed. */
export function openDirectory(path: string): Dir {
  if (process.platform !== 'linux' || !existsSync('/proc/self/fd')) return new PathDir(path)
  return new FdDir(openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW), path)
}
