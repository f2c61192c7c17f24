import * as v from 'valibot'
import type { KeepStatus } from '../../manifests/keep/status.ts'
import { orderSchema } from './order.ts'
import { keepModes } from './policies.ts'
import type { KeptFolder } from './runner.ts'

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const value = v.optional(v.string())

const conflictSchema = v.pipe(
  v.object({
    id: v.string(),
    kind: v.picklist(['conflict', 'deleted-here', 'deleted-there', 'many-deleted']),
    ...{ resource: v.string(), file: v.string(), field: v.string() },
    ...{ local: value, remote: value, why: v.string(), answers: v.string() },
  }),
  v.transform(({ local, remote, ...rest }) => ({ ...rest, local, remote })),
)

const statusSchema: v.GenericSchema<unknown, KeepStatus> = v.object({
  state: v.picklist(['starting', 'in-step', 'waiting', 'halted', 'away', 'stopped']),
  reason: v.string(),
  mode: v.picklist(keepModes),
  root: v.string(),
  cluster: v.object({ context: v.string(), server: v.string(), namespace: v.string() }),
  objects: count,
  drift: count,
  writes: v.object({ files: count, cluster: count }),
  lastWrites: v.array(
    v.object({
      at: v.string(),
      where: v.picklist(['file', 'cluster']),
      resource: v.string(),
      file: v.string(),
      what: v.picklist(['created', 'changed', 'written', 'deleted']),
    }),
  ),
  conflicts: v.array(conflictSchema),
  left: v.array(v.object({ resource: v.string(), field: v.string(), reason: v.string() })),
  problems: v.array(v.object({ about: v.string(), reason: v.string() })),
})

/** A kept folder as a running process tells of it. */
export const keptFolderSchema: v.GenericSchema<unknown, KeptFolder> = v.object({
  ...orderSchema.entries,
  stays: v.boolean(),
  trouble: v.exactOptional(v.string()),
  status: v.exactOptional(statusSchema),
})
