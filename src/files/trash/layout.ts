/**
 * How the trash lies on disk. All that was taken from one synced folder is a *store*: a directory in kubesync's own
 * folder, or one in the synced folder itself where that is on another filesystem and a rename would not reach.
 *
 *     STORE/folder           which folder it is of
 *     STORE/PASS/index       what the files do not tell by themselves (see `record.ts`)
 *     STORE/PASS/files/...   what was taken in one pass, each at the path it had
 *
 * The files themselves are the truth: one without a line in the index can be brought back, a line without a file
 * means nothing. So there is nothing to repair after a crash, and no path is ever read from a file and followed.
 */
import { createHash } from 'node:crypto'

export const CONTENT = 'files'
export const INDEX = 'index'
export const FOLDER = 'folder'

/** Names of stores in kubesync's own folder. */
const store = /^[0-9a-f]{24}$/
/** Names of passes: when they began, in milliseconds since 1970, and something that makes them unique. */
const pass = /^(\d{15})-[0-9a-f]{12}$/

/** @param root absolute path of the synced folder, free of links */
export function storeName(root: string): string {
  return createHash('sha256').update(root).digest('hex').slice(0, 24)
}

export function isStoreName(name: string): boolean {
  return store.test(name)
}

export function passName(beganAt: number, unique: string): string {
  return `${String(Math.max(0, Math.floor(beganAt))).padStart(15, '0')}-${unique}`
}

/** When a pass began; undefined if that is not the name of one. */
export function passTime(name: string): number | undefined {
  const digits = pass.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
