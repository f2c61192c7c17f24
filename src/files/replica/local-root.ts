import { openDirectory } from './open-directory.ts'
import type { OpenRoot } from './root.ts'

/** Opens a directory of this machine as a root. The path is to be free of links. */
export function localRoot(path: string): OpenRoot {
  return () => {
    const dir = openDirectory(path)
    const { dev, ino } = dir.stat()
    return { dir, storage: { kind: 'local', id: `${dev}:${ino}` } }
  }
}
