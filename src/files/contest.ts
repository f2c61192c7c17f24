/** Who wins where both sides did something, and not the same. */
import type { Decision } from '../merge/decide.ts'
import { newerOf } from './newest.ts'
import type { Side } from './side.ts'
import type { Run } from './spot.ts'
import type { Entry, Path } from './tree.ts'

export interface Contestants {
  readonly path: Path
  readonly local: Entry | undefined
  readonly remote: Entry | undefined
}

/** The side that wins; `nobody`: it is a conflict; `later`: something has to be found out first. */
export function winnerOf(run: Run, decision: Decision, contestants: Contestants): Side | 'nobody' | 'later' {
  if (decision === 'local-wins') return 'local'
  if (decision === 'remote-wins') return 'remote'
  if (decision !== 'newest-wins') return 'nobody'
  if (run.clocks === undefined) {
    run.plan.needs.clocks.push(contestants.path)
    return 'later'
  }
  return newerOf(contestants, run.clocks) ?? 'nobody'
}
