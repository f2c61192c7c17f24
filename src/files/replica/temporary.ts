/**
 * The names of what is ours in a synced folder, and the one rule for what may be removed of it. A name tells whose the
 * file is: `.kubesync-tmp-<process id>-<token of the thread>-<number>`, with `.d` after it if it is a directory, or that
 * it is the part of a large file that arrived before its transfer was cut: `.kubesync-tmp-part-<hash of the path>`.
 * Nothing else of ours lies among a user's files.
 */
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, type Stats } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { errnoOf } from '../../errors.ts'
import type { Path } from '../tree.ts'

/** What the names of our unfinished files begin with; they are in no tree. */
export const TEMPORARY_PREFIX = '.kubesync-tmp-'

/** Exact, because what matches may be removed. */
const pattern = /^\.kubesync-tmp-([1-9]\d{0,9})-([0-9a-f]{16})-[0-9a-z]+(\.d)?$/
const partial = /^\.kubesync-tmp-part-[0-9a-f]{16}$/
const mine = randomBytes(8).toString('hex')
let count = 0

/** Milliseconds after which an unfinished file that nobody wrote to is nobody's, though its process id is in use. */
const ABANDONED = 3_600_000
/** Milliseconds for which the rest of a file may still come after what is there of it. */
const PARTIAL_LIFE = 24 * ABANDONED

/** A name nobody else uses. */
export function temporaryName(): string {
  return `${TEMPORARY_PREFIX}${process.pid}-${mine}-${(count++).toString(36)}`
}

/** The same for a directory. */
export function temporaryDirectory(): string {
  return `${temporaryName()}.d`
}

/** The name of what is there of a large file, for whoever goes on with it. */
export function partialName(path: Path): string {
  return `${TEMPORARY_PREFIX}part-${createHash('sha256').update(path).digest('hex').slice(0, 16)}`
}

export function isTemporary(name: string): boolean {
  return name.startsWith(TEMPORARY_PREFIX) && (pattern.test(name) || partial.test(name))
}

/**
 * Whether a file or directory is what a run of ours left that was cut off: its process is gone, or it is of this thread
 * from before `startedAt`. Other sessions that run write into the same folder: theirs is left alone. Where process ids are not the
 * same ones (another machine, another container), one of theirs may go; they write it again.
 * @param startedAt milliseconds since 1970, by this machine's clock
 */
export function isLeftOver(name: string, stats: Stats, startedAt: number): boolean {
  if (partial.test(name)) return stats.isFile() && Math.abs(Date.now() - stats.ctimeMs) > PARTIAL_LIFE
  const [, pid, owner, directory] = pattern.exec(name) ?? []
  const isOurs = directory === undefined ? stats.isFile() || stats.isSymbolicLink() : stats.isDirectory()
  if (pid === undefined || !isOurs) return false
  // A process that has one thread to write with may have got the id of one that is gone.
  const isOwn = owner === mine || (Number(pid) === process.pid && isMainThread)
  if (isOwn) return stats.ctimeMs < startedAt
  return !isRunning(Number(pid)) || Math.abs(Date.now() - stats.ctimeMs) > ABANDONED
}

/** Whether another run of ours is still at work on it, as far as its name tells. */
export function isOthers(name: string): boolean {
  const owner = pattern.exec(name)?.[2]
  return owner !== undefined && owner !== mine
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !isDead(pid)
  } catch (error) {
    return errnoOf(error) !== 'ESRCH'
  }
}

/** Whether nothing is left of it but its exit code, which its parent has not asked for yet (proc(5), Linux only). */
function isDead(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
  } catch {
    return false
  }
}

/** In a synced folder, the directory that holds its trash, where that can be nowhere else (see `trash/store.ts`). */
export const TRASH_INSIDE = '.kubesync-trash'

/** Names that are in no tree, on either side. */
export function isOurs(name: string): boolean {
  return name === TRASH_INSIDE || isTemporary(name)
}
