import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isAlive, tryLock } from '../config/lock.ts'
import { findPaths } from '../config/paths.ts'
import { KubesyncError } from '../errors.ts'
import { askDown } from '../sandbox/control-client.ts'
import type { Cli } from './io.ts'

/** How long it may take to end every process, in milliseconds. */
const limitMs = 20_000
const pulse = 20

/** Ends the sandbox and removes everything of it, also what one left that was killed. */
export async function down(cli: Cli): Promise<void> {
  const { sandbox: dir } = findPaths({ env: cli.io.env })
  const pid = await askDown(join(dir, 'control.sock'))
  if (pid !== undefined) await gone(pid)
  const attempt = await tryLock(`${dir}.lock`)
  if (!attempt.taken) {
    throw new KubesyncError(
      'SANDBOX_BUSY',
      `the sandbox (process ${attempt.owner.pid}) is starting or ending`,
      {
        hint: 'try again in a moment',
      },
    )
  }
  try {
    const { removeLeftovers } = await import('../sandbox/leftovers.ts')
    const left = removeLeftovers(dir)
    if (pid !== undefined) cli.io.stderr.write(`the sandbox (process ${pid}) is down\n`)
    else cli.io.stderr.write(left ? 'removed what an earlier sandbox left\n' : 'no sandbox runs\n')
  } finally {
    await attempt.lock.release()
  }
}

async function gone(pid: number): Promise<void> {
  const until = Date.now() + limitMs
  while (isAlive({ pid })) {
    if (Date.now() > until) {
      throw new KubesyncError('SANDBOX_STAYS', `the sandbox (process ${pid}) has not ended yet`, {
        hint: `it was asked to; \`kill -9 ${pid}\` does not ask, and another \`down\` removes what is left`,
      })
    }
    await delay(pulse)
  }
}
