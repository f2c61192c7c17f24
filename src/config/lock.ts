import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { link, mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises'
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
  for (;;) {
    if (await place(path, mine)) return { taken: true, lock: { release: () => remove(path, mine.nonce) } }
    const owner = await read(path)
    if (owner === 'none') continue
    if (owner !== 'garbage' && (await holds(owner, options))) return { taken: false, owner }
    await remove(path, owner === 'garbage' ? undefined : owner.nonce)
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
export function isAlive(owner: Pick<LockOwner, 'pid' | 'start'>): boolean {
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    if (errnoOf(error) !== 'EPERM') return false
  }
  const { start } = started(owner.pid)
  return start === undefined || owner.start === undefined || start === owner.start
}

/** Linux: the boot and the clock tick since it in which the process started (proc(5), stat field 22). */
function started(pid: number): { start?: string } {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in parentheses, and may hold anything.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    return ticks === undefined ? {} : { start: `${boot}/${ticks}` }
  } catch {
    return {}
  }
}

async function place(path: string, owner: LockOwner): Promise<boolean> {
  const own = `${path}.${owner.nonce}`
  await writeFile(own, JSON.stringify(owner), { mode: 0o600, flag: 'wx' })
  try {
    await link(own, path)
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  } finally {
    await unlink(own)
  }
}

async function read(path: string): Promise<LockOwner | 'none' | 'garbage'> {
  try {
    return v.parse(ownerSchema, JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? 'none' : 'garbage'
  }
}

/**
 * Removes the lock if it is the one that was taken with `nonce`. It is moved aside first, which only one
 * process can do to one file: of two that found the same dead owner, the slower one may have moved the
 * faster one's new lock, sees that, and puts it back.
 */
async function remove(path: string, nonce: string | undefined): Promise<void> {
  const aside = `${path}.${randomBytes(8).toString('hex')}`
  try {
    await rename(path, aside)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return
    throw error
  }
  const found = await read(aside)
  const expected = typeof found === 'string' ? nonce === undefined : found.nonce === nonce
  if (!expected) await link(aside, path).catch(() => {})
  await unlink(aside)
}
