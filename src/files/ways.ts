import type { Direction } from '../merge/decide.ts'
import { readPatterns } from './ignore/pattern.ts'
import { Candidate, PatternList } from './ignore/pattern-list.ts'
import type { Mode } from './mode.ts'
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

/** Which way changes of a path travel. */
export type Way = Direction | 'none'

const directions: Readonly<Record<Mode, Direction>> = {
  'two-way-safe': 'two-way',
  'to-remote-safe': 'to-remote',
  'to-local-safe': 'to-local',
}

/** The ways of a spec. */
export function waysOf(mode: Mode, exclusions: Exclusions | undefined): Ways {
  return new Ways(directions[mode], exclusions)
}

/** Whether changes that travel this way are ever written to a side. */
export function writes(way: Way, side: Side): boolean {
  return way === 'two-way' || way === (side === 'local' ? 'to-local' : 'to-remote')
}

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

  at(path: Path, isDirectory: boolean): Way {
    if (path === '') return this.first
    return this.below(this.at(parentOf(path), true), path, isDirectory)
  }
}

function isExcluded(patterns: PatternList, candidate: Candidate, isDirectory: boolean): boolean {
  const found = patterns.find(candidate, isDirectory)
  return found !== undefined && !found.isNegated
}
