import type { Arrival, Change } from '../merge/decide.ts'
import type { Verdict } from './change.ts'
import type { Side } from './side.ts'
import type { Spot } from './spot.ts'

/** A sentence that says what each side did to a path. */
export function describeConflict(spot: Spot, verdict: Verdict): string {
  const local = deed(spot, 'local', verdict.local)
  const remote = deed(spot, 'remote', verdict.remote)
  const deeds = local === remote ? `each side ${local}, and they differ` : `local ${local}, remote ${remote}`
  return verdict.decision === 'newest-wins' ? `${deeds}; which one is newer cannot be told` : deeds
}

/** A sentence that says that a volume came or went at a directory. */
export function describeRemount(spot: Spot, side: Side): string {
  const entry = spot[side]?.entry
  const isNew = entry?.kind === 'directory' && entry.isMount === true
  const what = isNew ? 'another volume was mounted here' : 'the volume that was mounted here is gone'
  return `${what} on the ${side} side, so what is missing was not deleted: undo that, or merge what both have`
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
