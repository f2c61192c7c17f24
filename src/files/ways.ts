import { readPatterns } from './ignore/pattern.ts'
import { Candidate, PatternList } from './ignore/pattern-list.ts'
import { type Mode, writesTo } from './mode.ts'
import { parentOf } from './path.ts'
import type { Side } from './side.ts'
import type { Path } from './tree.ts'

/** What does not travel one way though the mode would have it; patterns in the syntax of .gitignore. */
export interface Exclusions {
  /** What is never sent to the remote side. */
  readonly upload: readonly string[]
  /** What is never brought to the local side. */
  readonly download: readonly string[]
}

/** How changes of a path travel. */
export type Way = Mode | 'none'

/** Whether changes that travel this way are ever written to a side. */
export function writes(way: Way, side: Side): boolean {
  return way !== 'none' && writesTo(way, side)
}

/** Which way changes travel, path by path. What holds for a directory holds for all that is in it. */
export class Ways {
  /** For the root. */
  readonly first: Mode
  private readonly upload: PatternList
  private readonly download: PatternList

  constructor(mode: Mode, exclusions: Exclusions = { upload: [], download: [] }) {
    this.first = mode
    this.upload = new PatternList(readPatterns(exclusions.upload.join('\n')))
    this.download = new PatternList(readPatterns(exclusions.download.join('\n')))
  }

  /** @param above the way of the directory that the path is in */
  below(above: Way, path: Path, isDirectory: boolean): Way {
    if (above === 'none' || (this.upload.isEmpty && this.download.isEmpty)) return above
    const candidate = new Candidate(path)
    const isUp = writesTo(above, 'remote')
    const isDown = writesTo(above, 'local')
    const staysUp = isUp && !isExcluded(this.upload, candidate, isDirectory)
    const staysDown = isDown && !isExcluded(this.download, candidate, isDirectory)
    if (staysUp === isUp && staysDown === isDown) return above
    if (staysUp) return 'to-remote-safe'
    return staysDown ? 'to-local-safe' : 'none'
  }

  at(path: Path, isDirectory: boolean): Way {
    if (path === '') return this.first
    return this.below(this.at(parentOf(path), true), path, isDirectory)
  }
}

function isExcluded(patterns: PatternList, candidate: Candidate, isDirectory: boolean): boolean {
  const found = patterns.find(candidate, isDirectory)
  return found !== undefined && !found.isNegated
}
