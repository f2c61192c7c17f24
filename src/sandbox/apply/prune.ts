import type { Schema, TypeSchema } from '../schema.ts'
import { above, difference, elementsOf, type FieldSet, intersection, type Path, union } from './fields.ts'
import type { Managers } from './managers.ts'
import { remove } from './merge.ts'
import { shapeOf } from './shape.ts'
import { fieldsOf } from './typed.ts'

interface Pruning {
  readonly managers: Managers
  /** What the applier applied the last time. */
  readonly formerly: FieldSet | undefined
  readonly types: TypeSchema
}

/**
 * Removes what its manager applied the last time, unless it is applied still, or somebody else owns it or something in it. After
 * structured-merge-diff's `Updater.prune`.
 */
export function prune(merged: unknown, { managers, formerly, types }: Pruning): unknown {
  if (formerly === undefined || formerly.size === 0) return merged
  const named = (fields: FieldSet) => withNamed(fields, types)
  const all = named(fieldsOf(merged, types))
  const last = named(formerly)
  const bare = named(fieldsOf(remove(merged, last, types), types))
  const owned = named(new Set([...managers.values()].flatMap(({ fields }) => [...fields])))
  const kept = remove(merged, difference(all, union(bare, owned)), types)
  const dangling = difference(all, named(fieldsOf(kept, types)))
  return remove(merged, intersection(dangling, last), types)
}

/**
 * The set with every field that the schema names and that has something in the set below it. A manager of `spec.replicas` does not
 * own `spec`, yet both come and go together.
 */
function withNamed(fields: FieldSet, types: TypeSchema): FieldSet {
  return new Set([...fields].flatMap((path) => [path, ...namedAbove(path, types)]))
}

function namedAbove(path: Path, types: TypeSchema): Path[] {
  const elements = elementsOf(path)
  let schema: Schema = types.root
  return above(path).filter((_, index) => {
    const element = elements[index] ?? ''
    const shape = shapeOf(schema, element.startsWith('f:') ? {} : [], types)
    schema = shape.at(element) ?? {}
    return shape.names(element)
  })
}
