import type { Arrival, Change } from '../merge/decide.ts'
import type { Verdict } from './change.ts'
import type { Side } from './side.ts'
import type { Spot } from './spot.ts'

/** A sentence that says what each side did to a path. */
export function describeConflict(spot: Spot, verdict: Verdict): string {
  const local = deed(spot, 'local', verdict.local)
  const remote = deed(spot, 'remote', verdict.remote)
  return local === remote ? `each side ${local}, and they differ` : `local ${local}, remote ${remote}`
}

function deed(spot: Spot, side: Side, change: Change | Arrival): string {
  const kind = spot[side]?.entry.kind ?? 'file'
  switch (change) {
    case 'created':
      return `has a ${kind}`
    case 'modified':
      return kind === 'directory' ? 'changed what is in the directory' : `changed the ${kind}`
    case 'replaced':
      return `put a ${kind} in its place`
    case 'deleted':
      return 'deleted it'
    case 'unchanged':
      return `left the ${kind} as it was`
    case 'absent':
      return 'has nothing'
    case 'opaque':
      return 'has something that cannot be synced'
  }
}
