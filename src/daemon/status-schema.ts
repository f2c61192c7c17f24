import * as v from 'valibot'
import { keptFolderSchema } from './keeps/status-schema.ts'
import type { BoundConflict } from './settle.ts'
import type { Reloaded, WatchStatus } from './status.ts'

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const pair = v.object({ local: count, remote: count })
const conflict = v.object({ path: v.string(), message: v.string() })
const problem = v.object({
  path: v.string(),
  code: v.string(),
  message: v.string(),
  side: v.picklist(['local', 'remote']),
})

const sessionSchema = v.object({
  phase: v.picklist(['scanning', 'syncing', 'in-sync', 'halted', 'ended']),
  halt: v.exactOptional(v.string()),
  entries: pair,
  progress: v.exactOptional(v.object({ done: count, total: count, bytesDone: count, bytesTotal: count })),
  conflicts: v.array(conflict),
  problems: v.array(problem),
  applied: pair,
  own: v.exactOptional(count),
})

const reloadSchema = v.object({
  at: v.string(),
  how: v.string(),
  ms: v.exactOptional(count),
  error: v.exactOptional(v.string()),
})

/** A reload as a running watch tells of it. */
export const reloadedSchema: v.GenericSchema<unknown, Reloaded> = v.object({
  ...reloadSchema.entries,
  pod: v.string(),
  container: v.string(),
})

const boundSessionSchema = v.object({
  pod: v.string(),
  node: v.string(),
  container: v.string(),
  role: v.picklist(['leader', 'follower', 'peer']),
  session: v.exactOptional(sessionSchema),
  message: v.exactOptional(v.string()),
  reload: v.exactOptional(reloadSchema),
})

const specStatusSchema = v.object({
  name: v.string(),
  state: v.picklist(['waiting', 'running', 'disconnected', 'failed']),
  message: v.exactOptional(v.string()),
  sessions: v.array(boundSessionSchema),
})

const version = v.object({
  kind: v.picklist(['file', 'symlink', 'directory', 'opaque']),
  size: v.exactOptional(count),
  mtime: v.exactOptional(v.string()),
  digest: v.exactOptional(v.string()),
  target: v.exactOptional(v.string()),
})

/** A conflict as a running watch tells of it. */
export const boundConflictSchema: v.GenericSchema<unknown, BoundConflict> = v.object({
  pod: v.string(),
  container: v.string(),
  path: v.string(),
  message: v.string(),
  local: v.exactOptional(version),
  remote: v.exactOptional(version),
})

/** What the running process, maybe of another version, says of itself. */
export const watchStatusSchema: v.GenericSchema<unknown, WatchStatus> = v.object({
  pid: v.pipe(v.number(), v.integer(), v.minValue(1)),
  startedAt: v.string(),
  configPath: v.string(),
  watches: v.boolean(),
  specs: v.array(specStatusSchema),
  keeps: v.array(keptFolderSchema),
})
