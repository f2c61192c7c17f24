import type { Stats } from 'node:fs'
import type { Path } from '../tree.ts'

/**
 * The names of files that have several. A watch tells of the name that was used and of no other one, so whoever sees a
 * change by one name has to look at the others.
 */
export class HardLinks {
  private readonly pathsOf = new Map<string, Set<Path>>()

  /** Remembers a name of a file; returns the others, some of which may be no more. */
  note(path: Path, { dev, ino, nlink }: Stats): readonly Path[] {
    if (nlink < 2) return []
    const key = `${dev}:${ino}`
    const paths = this.pathsOf.get(key)
    if (paths === undefined) this.pathsOf.set(key, new Set([path]))
    else paths.add(path)
    return [...(paths ?? [])].filter((other) => other !== path)
  }

  clear(): void {
    this.pathsOf.clear()
  }
}
