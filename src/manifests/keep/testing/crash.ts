import type { Session } from '../../session.ts'

/** How a process ends that is killed. */
export class Crash extends Error {}

/** A process that dies after so many steps, and does nothing any more then. */
export class Mortal {
  #left: number
  isDead = false

  constructor(steps = Number.POSITIVE_INFINITY) {
    this.#left = steps
  }

  readonly step = (): void => {
    this.#left -= 1
    if (this.#left <= 0) this.isDead = true
    if (this.isDead) throw new Crash()
  }

  /** A session in which each write to the disk is a step before and after it. */
  lives(session: Session): Session {
    const around = async <T>(work: () => Promise<T>): Promise<T> => {
      this.step()
      const result = await work()
      this.step()
      return result
    }
    const { base, journal } = session
    return {
      ...session,
      base: {
        ...base,
        put: (entries) => around(() => base.put(entries)),
        forget: (entries) => around(() => base.forget(entries)),
      },
      journal: {
        ...journal,
        begin: (writes) => around(() => journal.begin(writes)),
        end: (results) => around(() => journal.end(results)),
      },
    }
  }
}
