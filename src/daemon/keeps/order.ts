import { createHash } from 'node:crypto'
import { sep } from 'node:path'
import * as v from 'valibot'
import { conflictPolicies, deletionPolicies, keepModes } from './policies.ts'

const text = v.pipe(v.string(), v.minLength(1))

/** A folder of manifests that is to be kept in step with a cluster, frozen as it was when somebody agreed to it. */
export const orderSchema = v.object({
  /** Absolute, links followed. */
  folder: text,
  /** As `KUBECONFIG` has it: absolute paths; empty for where kubectl looks without it. */
  kubeconfig: v.string(),
  context: text,
  /** URL of the API server: if the context leads elsewhere one day, nothing is written there. */
  server: text,
  namespace: text,
  mode: v.picklist(keepModes),
  onConflict: v.picklist(conflictPolicies),
  onDeletion: v.picklist(deletionPolicies),
  /** False for a protected context that nobody spelled the name of. */
  mayWriteCluster: v.boolean(),
})
export type KeepOrder = v.InferOutput<typeof orderSchema>

/** What tells one from another: the folder and the cluster. */
export type KeepPlace = Pick<KeepOrder, 'folder' | 'server'>

export function isSamePlace(one: KeepPlace, other: KeepPlace): boolean {
  return one.folder === other.folder && one.server === other.server
}

/** A name for files about it. */
export function placeId({ folder, server }: KeepPlace): string {
  return createHash('sha256')
    .update(JSON.stringify([folder, server]))
    .digest('hex')
    .slice(0, 24)
}

/** Whether both would write the same files for the same cluster. */
export function overlaps(one: KeepPlace, other: KeepPlace): boolean {
  const holds = (outer: string, inner: string) =>
    inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep)
  return one.server === other.server && (holds(one.folder, other.folder) || holds(other.folder, one.folder))
}
