import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as v from 'valibot'
import { errnoOf, KubesyncError } from '../errors.ts'

/**
 * A lock is a file that names its owner. It appears with `link`, whole or not at all, and an owner that was
 * killed leaves it behind: a pid that is gone, or belongs to a process that started at another time, owns
 * nothing.
 */
const ownerSchema = v.object({
  pid: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** When the process started, in the system's own terms; absent where the system does not tell. */
  start: v.exactOptional(v.string()),
  /** Tells one taking of the lock from another. */
  nonce: v.string(),
})
export type LockOwner = v.InferOutput<typeof ownerSchema>

export interface FileLock {
  release(): Promise<void>
}

export type LockAttempt =
  | { readonly taken: true; readonly lock: FileLock }
  | { readonly taken: false; readonly owner: LockOwner }

export interface LockOptions {
  /**
   * Asked where the system does not tell whether a process with the owner's pid is the owner; false takes
   * the lock from it.
   */
  readonly confirm?: (owner: LockOwner) => Promise<boolean>
}

/** Takes the lock, or tells who has it. Makes its directory (0700) where it is missing. */
export async function tryLock(path: string, options: LockOptions = {}): Promise<LockAttempt> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const mine: LockOwner = { pid: process.pid, ...started(process.pid), nonce: randomBytes(8).toString('hex') }
  const own = `${path}.${mine.nonce}`
  await writeFile(own, JSON.stringify(mine), { mode: 0o600, flag: 'wx' })
  try {
    for (;;) {
      const holder = (await place(own, path)) ? 'mine' : await inherit(path, own, options)
      if (holder === 'mine') return { taken: true, lock: { release: () => release(path, mine) } }
      if (holder !== 'again') return { taken: false, owner: holder }
    }
  } finally {
    await rm(own, { force: true })
  }
}

/** Runs `work` while holding the lock; waits up to `limitMs` for it. */
export async function withLock<T>(path: string, work: () => Promise<T>, limitMs = 10_000): Promise<T> {
  const until = Date.now() + limitMs
  for (;;) {
    const attempt = await tryLock(path)
    if (attempt.taken) return work().finally(() => attempt.lock.release())
    if (Date.now() > until) {
      throw new KubesyncError(
        'LOCKED',
        `process ${attempt.owner.pid} has held ${path} for ${limitMs / 1000} s`,
        {
          hint: 'end that process, or try again when it is done',
        },
      )
    }
    await delay(5 + Math.random() * 20)
  }
}

async function holds(owner: LockOwner, { confirm }: LockOptions): Promise<boolean> {
  if (!isAlive(owner)) return false
  return owner.start !== undefined || confirm === undefined || (await confirm(owner))
}

/** True if that very process runs, as far as the system tells. */
export function isAlive({ pid, start }: Pick<LockOwner, 'pid' | 'start'>): boolean {
  if (pid === 0 || !exists(pid)) return false
  const now = lookAt(pid)
  // Nothing is told of it where the system does not, and where it has just gone.
  if (now === undefined) return exists(pid)
  return !now.isDead && (start === undefined || start === now.start)
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errnoOf(error) === 'EPERM'
  }
}

function started(pid: number): { start?: string } {
  const now = lookAt(pid)
  return now === undefined ? {} : { start: now.start }
}

interface ProcessLook {
  /** The boot, and the clock tick since it in which the process started. */
  readonly start: string
  /** Its parent was not told yet that it ended. */
  readonly isDead: boolean
}

/** What Linux tells of a process (proc(5), stat fields 3 and 22); undefined elsewhere. */
function lookAt(pid: number): ProcessLook | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in parentheses, and may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { start: `${boot}/${fields[19]}`, isDead: 'ZX'.includes(fields[0] ?? '') }
  } catch {
    return undefined
  }
}

/** Makes a file appear at a path, whole; false if there is one. */
async function place(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path)
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  }
}

/**
 * Takes the lock over from an owner that is dead. To replace it takes a claim, a file named after that
 * owner, of which there can be one; whoever has it looks whether the lock is still that owner's, because
 * the claim may be an old one's name used again. A claimant that died before it went on is itself succeeded.
 */
async function inherit(
  path: string,
  own: string,
  options: LockOptions,
): Promise<LockOwner | 'mine' | 'again'> {
  const owner = await read(path)
  const claims: string[] = []
  let holder = owner
  while (holder !== undefined && !(await holds(holder, options))) {
    const claim = `${path}.after-${holder.nonce}`
    claims.push(claim)
    if (await place(own, claim)) {
      const valid = (await read(path))?.nonce === owner?.nonce
      if (valid) await rename(own, path)
      for (const done of valid ? claims : [claim]) await rm(done, { force: true })
      return valid ? 'mine' : 'again'
    }
    holder = await read(claim)
  }
  return holder ?? 'again'
}

async function release(path: string, mine: LockOwner): Promise<void> {
  if ((await read(path))?.nonce === mine.nonce) await rm(path, { force: true })
}

/** Who a file names; what cannot be made out, as after a power cut, counts as somebody dead. */
async function read(path: string): Promise<LockOwner | undefined> {
  try {
    return v.parse(ownerSchema, JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? undefined : { pid: 0, nonce: 'unreadable' }
  }
}
