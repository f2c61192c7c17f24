import { isTrashOn, type TrashLimits } from '../config/trash.ts'
import { messageOf } from '../errors.ts'
import { stampOfTrash } from '../files/trash/catalog.ts'
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

/** All in milliseconds. What is written all the time can be a lot in a minute. */
const LOOK_EVERY = 60_000
/** Things get too old although nothing is added. */
const SWEEP_EVERY = 60 * 60_000

/** Keeps the trash within its limits, from now on. */
export function startSweeper({ home, limits, log }: SweeperOptions): Sweeper {
  const over = new AbortController()
  let told: string | undefined
  let swept: { readonly stamp: string; readonly at: number } | undefined
  const sweep = async () => {
    const at = performance.now()
    try {
      const stamp = stampOfTrash(home)
      if (swept?.stamp === stamp && at - swept.at < SWEEP_EVERY) return
      const { removed, freed } = await sweepTrash(home, { limits: limits(), signal: over.signal })
      if (removed > 0) log({ level: 'info', message: describe(removed, freed, limits()) })
      swept = { stamp: stampOfTrash(home), at }
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
  }, LOOK_EVERY).unref()
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
