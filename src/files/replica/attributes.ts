import * as v from 'valibot'
import { errnoOf } from '../../errors.ts'
import { withExecutable } from './incoming.ts'
import type { Refusal } from './refusal.ts'

const id = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff_fffe))
const permissions = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0o777))

/** What a side gives to the files and directories that it makes; unless given, what its process and umask do. */
export const attributesSchema = v.strictObject({
  /** Without a group, that stays the process's. */
  owner: v.optional(v.strictObject({ uid: id, gid: v.optional(id) })),
  /** Of files; those that are executable are so for whoever may read them. */
  fileMode: v.optional(permissions),
  dirMode: v.optional(permissions),
})
export type Attributes = v.InferOutput<typeof attributesSchema>

/** Something that was just made, and is held open: whatever has its name by now. */
export interface Made {
  chmod(mode: number): void
  chown(uid: number, gid: number): void
}

/** Gives what was made its attributes. Returns why it could not get all of them. */
export function adorn(
  made: Made,
  { owner, fileMode, dirMode }: Attributes,
  kind: { readonly executable: boolean } | 'directory',
): Refusal | undefined {
  const refusal = owner && give(made, owner)
  // Afterwards: a new owner takes away bits.
  if (kind === 'directory') {
    if (dirMode !== undefined) made.chmod(dirMode)
  } else if (fileMode !== undefined) made.chmod(withExecutable(fileMode, kind.executable))
  return refusal
}

/** Node's way to say that the group stays. */
const SAME = -1

/** What can be told before anything is made: only root gives files away. */
export function foreseen({ owner }: Attributes): Refusal | undefined {
  const me = process.geteuid?.()
  return owner === undefined || me === 0 || me === owner.uid ? undefined : notGiven(owner)
}

function notGiven({ uid, gid }: NonNullable<Attributes['owner']>): Refusal {
  const me = process.geteuid?.()
  const whose = gid === undefined ? `uid ${uid}` : `${uid}:${gid}`
  const message = `uid ${me} may not give files to ${whose}, so what is new there belongs to uid ${me}`
  return { code: 'OWNER_NOT_SET', message }
}

function give(made: Made, owner: NonNullable<Attributes['owner']>): Refusal | undefined {
  try {
    made.chown(owner.uid, owner.gid ?? SAME)
    return undefined
  } catch (error) {
    if (errnoOf(error) !== 'EPERM') throw error
    return notGiven(owner)
  }
}
