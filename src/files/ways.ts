import type { Direction } from '../merge/decide.ts'
import { readPatterns } from './ignore/pattern.ts'
import { Candidate, PatternList } from './ignore/pattern-list.ts'
import type { Path } from './tree.ts'

/** What does not travel one way though the mode would have it; patterns in the syntax of .gitignore. */
export interface Exclusions {
  /** What is never sent to the remote side. */
  readonly upload: readonly string[]
  /** What is never brought to the local side. */
  readonly download: readonly string[]
}

/** Which way changes of a path travel. */
export type Way = Direction | 'none'

/** Which way changes travel, path by path. What holds for a directory holds for all that is in it. */
export class Ways {
  /** For the root. */
  readonly first: Direction
  private readonly upload: PatternList
  private readonly download: PatternList

  constructor(direction: Direction, exclusions: Exclusions = { upload: [], download: [] }) {
    this.first = direction
    this.upload = new PatternList(readPatterns(exclusions.upload.join('\n')))
    this.download = new PatternList(readPatterns(exclusions.download.join('\n')))
  }

  /** @param above the way of the directory that the path is in */
  below(above: Way, path: Path, isDirectory: boolean): Way {
    if (above === 'none' || (this.upload.isEmpty && this.download.isEmpty)) return above
    const candidate = new Candidate(path)
    const isUp = above !== 'to-local' && !isExcluded(this.upload, candidate, isDirectory)
    const isDown = above !== 'to-remote' && !isExcluded(this.download, candidate, isDirectory)
    if (isUp) return isDown ? 'two-way' : 'to-remote'
    return isDown ? 'to-local' : 'none'
  }
}

function isExcluded(patterns: PatternList, candidate: Candidate, isDirectory: boolean): boolean {
  const found = patterns.find(candidate, isDirectory)
  return found !== undefined && !found.isNegated
}
