import { type FileLock, tryLock } from '../config/lock.ts'
import type { Paths } from '../config/paths.ts'
import { askStatus } from './client.ts'
import { watchRunning } from './spec-work.ts'

/**
 * Makes this process the one that watches the configuration, until it releases the lock or ends, however it
 * ends. Rejects with WATCH_RUNNING, which names the process that does.
 */
export async function takeWatchLock(paths: Pick<Paths, 'config' | 'lock' | 'socket'>): Promise<FileLock> {
  const attempt = await tryLock(paths.lock, {
    // A silent one counts as running: it may be busy, and two of them would undo one another's work.
    confirm: ({ pid }) =>
      askStatus(paths.socket).then(
        (status) => status?.pid === pid,
        () => true,
      ),
  })
  if (attempt.taken) return attempt.lock
  const { pid } = attempt.owner
  throw watchRunning(pid, paths.config)
}
