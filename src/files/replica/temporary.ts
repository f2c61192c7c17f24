import { randomBytes } from 'node:crypto'

/** What the names of our unfinished files begin with; they are in no tree. */
export const TEMPORARY_PREFIX = '.kubesync-tmp-'

/** Exact, because what matches may be removed. */
const pattern = /^\.kubesync-tmp-[0-9a-f]{16}-[0-9a-z]+$/
const mine = randomBytes(8).toString('hex')
let count = 0

/** A name nobody else uses. */
export function temporaryName(): string {
  return `${TEMPORARY_PREFIX}${mine}-${(count++).toString(36)}`
}

export function isTemporary(name: string): boolean {
  return name.startsWith(TEMPORARY_PREFIX) && pattern.test(name)
}

/** In a synced folder, the directory that holds its trash, where that can be nowhere else (see `trash/store.ts`). */
export const TRASH_INSIDE = '.kubesync-trash'

/** Names that are in no tree, on either side. */
export function isOurs(name: string): boolean {
  return name === TRASH_INSIDE || isTemporary(name)
}
