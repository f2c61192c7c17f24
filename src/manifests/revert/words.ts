import { describePath } from '../diff/compare.ts'
import type { Facts } from '../plan/make.ts'
import { changesOf } from './changes.ts'
import type { ToRevert } from './choose.ts'
import { asMap } from './states.ts'

export const sameWords = 'there is nothing to take back: it is what it was'
export const closedWords =
  'it cannot be taken back: the history does not have the values of this Secret, or not the key to them'

export const onlyClusterWords = '`--only cluster` takes it back there alone'

/** An object, and what was written of it, the last write first. */
interface Written {
  readonly facts: Facts
  readonly writes: readonly ToRevert[]
}

/** Says of what only one side was written of that the other stays. */
export function aboutSides({ facts, writes }: Written): string[] {
  const places = new Set(writes.map(({ entry }) => entry.where))
  if (places.size > 1) return []
  if (places.has('file')) {
    return facts.live === undefined ? [] : ['the cluster stays as it is: only the file was written']
  }
  return facts.local === undefined ? [] : ['the file stays as it is: only the cluster was written']
}

/** As many fields are named in a note. */
const few = 3

/** What was changed since in the cluster, by its fields. */
export function movedWords({ facts: { live, shape }, writes }: Written): string {
  const last = writes.find(({ entry }) => entry.where === 'cluster')?.entry
  if (live === undefined) return 'it is not in the cluster any more'
  const left = last?.isExact === true ? asMap(last.after) : undefined
  const names = changesOf(left, live.clean, shape).map(({ path }) => describePath(path))
  if (left === undefined) return 'it was changed in the cluster since'
  const more = names.length > few ? ` and ${names.length - few} more` : ''
  return `it was changed in the cluster since: ${names.slice(0, few).join(', ')}${more}`
}
