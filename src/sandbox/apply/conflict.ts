import { ApiFailure } from '../failure.ts'
import { at, type KubeObject } from '../object.ts'
import type { TypeSchema } from '../schema.ts'
import { difference, type FieldSet, pathsOf, textOf } from './fields.ts'
import { type Managed, managerKey } from './managers.ts'
import { compare, fieldsOf } from './typed.ts'

/** Fields of a manager. */
export interface Owned {
  readonly managed: Managed
  readonly fields: FieldSet
}

interface Applying {
  readonly live: KubeObject
  readonly manager: string
  readonly apiVersion: string
  readonly schema: TypeSchema
}

/**
 * The conflicts that stand. Where kubectl applied on the client before, and nobody changed it since, what it says in
 * `last-applied-configuration` is its own: such conflicts are none. After apimachinery's `lastAppliedManager`.
 */
export function conflictsOf(
  conflicts: readonly Owned[],
  { live, manager, apiVersion, schema }: Applying,
): Owned[] {
  const last = manager === 'kubectl' ? lastApplied(live, apiVersion) : undefined
  if (last === undefined) return [...conflicts]
  const { added, removed, modified } = compare(last, live, schema)
  const own = [added, removed, modified].reduce(difference, fieldsOf(last, schema))
  const left = conflicts.map(({ managed, fields }) => ({ managed, fields: difference(fields, own) }))
  return left.filter(({ fields }) => fields.size > 0)
}

function lastApplied(live: KubeObject, apiVersion: string): unknown {
  const text = live.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration']
  if (text === undefined) return undefined
  try {
    const object: unknown = JSON.parse(text)
    return at(object, 'apiVersion') === apiVersion ? object : undefined
  } catch {
    return undefined
  }
}

/** The refusal as the server words it. */
export function conflictFailure(conflicts: readonly Owned[]): ApiFailure {
  const sorted = [...conflicts].sort((a, b) => (managerKey(a.managed) < managerKey(b.managed) ? -1 : 1))
  const causes = sorted.flatMap(({ managed, fields }) =>
    pathsOf(fields).map((path) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${nameOf(managed)}`,
      field: textOf(path),
    })),
  )
  const lists = sorted.map(
    ({ managed, fields }) =>
      `conflicts with ${nameOf(managed)}:\n${pathsOf(fields)
        .map((path) => `- ${textOf(path)}`)
        .join('\n')}`,
  )
  const [only] = causes
  const said =
    causes.length === 1
      ? `1 conflict: ${only?.message}: ${only?.field}`
      : `${causes.length} conflicts: ${lists.join('\n')}`
  return new ApiFailure(409, 'Conflict', `Apply failed with ${said}`, { causes })
}

function nameOf({ manager, subresource, operation, apiVersion }: Managed): string {
  const name =
    JSON.stringify(manager) + (subresource ? ` with subresource ${JSON.stringify(subresource)}` : '')
  return operation === 'Update' ? `${name} using ${apiVersion}` : name
}
