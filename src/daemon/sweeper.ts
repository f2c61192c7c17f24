import { isTrashOn, type TrashLimits } from '../config/trash.ts'
import { messageOf } from '../errors.ts'
import { sweepTrash } from '../files/trash/sweep.ts'
import type { Log } from './world.ts'

export interface SweeperOptions {
  /** The directory of what is kept. */
  readonly home: string
  /** What is in force when it is asked. */
  readonly limits: () => TrashLimits
  readonly log: Log
}

export interface Sweeper {
  /** Resolves once it touches nothing any more. */
  stop(): Promise<void>
}

/** Milliseconds. */
const EVERY = 10 * 60_000

/** Keeps the trash within its limits, from now on. */
export function startSweeper({ home, limits, log }: SweeperOptions): Sweeper {
  const over = new AbortController()
  let told: string | undefined
  const sweep = async () => {
    try {
      const { removed, freed } = await sweepTrash(home, { limits: limits(), signal: over.signal })
      if (removed > 0) log({ level: 'info', message: describe(removed, freed, limits()) })
      told = undefined
    } catch (error) {
      const message = `the trash could not be looked through: ${messageOf(error)}`
      if (message !== told) log({ level: 'warn', message })
      told = message
    }
  }
  let sweeping = sweep()
  const timer = setInterval(() => {
    sweeping = sweeping.then(sweep)
  }, EVERY).unref()
  return {
    async stop() {
      clearInterval(timer)
      over.abort()
      await sweeping
    },
  }
}

function describe(removed: number, freed: number, limits: TrashLimits): string {
  const what = `${removed === 1 ? 'a version' : `${removed} versions`} (${freed} bytes)`
  return `${what} went from the trash for good: ${isTrashOn(limits) ? 'too old or too much' : 'it is off'}`
}
