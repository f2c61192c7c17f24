import type { TypeSchema } from '../schema.ts'
import type { Owned } from './conflict.ts'
import { difference, type FieldSet, intersection, union, without } from './fields.ts'
import type { Managers } from './managers.ts'
import { remove } from './merge.ts'
import { withNamed } from './named.ts'
import { type Comparison, fieldsOf } from './typed.ts'

interface Pruning {
  readonly managers: Managers
  /** What the applier applied the last time. */
  readonly formerly: FieldSet | undefined
  readonly types: TypeSchema
}

/** Removes what its manager applied the last time, unless it is applied still, or somebody else owns it or something in it. */
export function prune(merged: unknown, { managers, formerly, types }: Pruning): unknown {
  if (formerly === undefined || formerly.size === 0) return merged
  const named = (fields: FieldSet) => withNamed(fields, types)
  const all = named(fieldsOf(merged, types))
  const last = named(formerly)
  const bare = named(fieldsOf(remove(merged, last, types), types))
  const owned = named(
    [...managers.values()].reduce<FieldSet>((sum, { fields }) => union(sum, fields), new Map()),
  )
  const kept = remove(merged, difference(all, union(bare, owned)), types)
  const dangling = difference(all, named(fieldsOf(kept, types)))
  return remove(merged, intersection(dangling, last), types)
}

interface Taking {
  /** The manager that keeps its own fields whatever changes. */
  readonly by?: string
  readonly changes: Comparison
  onConflict(conflicts: readonly Owned[]): void
}

/** What others still own after changes that are not theirs. */
export function take(managers: Managers, { by, changes, onConflict }: Taking): Managers {
  const changed = union(changes.modified, changes.added)
  const others = [...managers].filter(([key]) => key !== by)
  const conflicts = others.map(([, managed]) => ({ managed, fields: intersection(managed.fields, changed) }))
  onConflict(conflicts.filter(({ fields }) => fields.size > 0))
  const gone = union(changed, changes.removed)
  const left = others.map(
    ([key, managed]) => [key, { ...managed, fields: difference(managed.fields, gone) }] as const,
  )
  const mine = [...managers].filter(([key]) => key === by)
  return new Map([...left.filter(([, { fields }]) => fields.size > 0), ...mine])
}

export function ignoring({ added, removed, modified }: Comparison, ignored: FieldSet): Comparison {
  return {
    added: without(added, ignored),
    removed: without(removed, ignored),
    modified: without(modified, ignored),
  }
}
