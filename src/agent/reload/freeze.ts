import { setTimeout as delay } from 'node:timers/promises'
import { KubesyncError } from '../../errors.ts'
import { hasEnded, proc, statOf, threadsOf } from './process.ts'

/** How long all threads of a process may take to stop, in milliseconds: one may wait for a disk, or for a child. */
const usualLimit = 2000

/** Stops a process, and resolves when each of its threads has stopped; else it goes on, and this rejects. */
export async function freeze(pid: number, limit = usualLimit): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  const until = performance.now() + limit
  for (let pause = 0; ; pause = Math.min(pause + 1, 10)) {
    if (isStopped(pid)) return
    if (performance.now() > until) break
    await delay(pause)
  }
  const states = threadsOf(pid).map((thread) => statOf(proc(pid, `task/${thread}/stat`))?.state ?? '-')
  thaw(pid)
  throw new KubesyncError(
    'RELOAD_REFUSED',
    `a thread of the process does not stop within ${limit / 1000} s (${states.join('')}): it waits for a disk, or for a child that it just started`,
    { hint: 'try again; or use --reload restart-container' },
  )
}

/** Whether all of its threads stand still. Throws CONTAINER_GONE if it has ended. */
export function isStopped(pid: number): boolean {
  const states = threadsOf(pid).flatMap((thread) => statOf(proc(pid, `task/${thread}/stat`)) ?? [])
  if (states.every(hasEnded)) {
    throw new KubesyncError('CONTAINER_GONE', 'the process ended while it was being stopped')
  }
  return states.every((one) => one.state === 'T' || hasEnded(one))
}

export function thaw(pid: number): void {
  process.kill(pid, 'SIGCONT')
}
