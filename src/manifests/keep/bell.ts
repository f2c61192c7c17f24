/** All in milliseconds. A text editor writes, renames and sets times within the first; nobody waits longer than the second. */
const quiet = 150
const longest = 2000

/** Rings once after a burst of calls: when it was quiet for a while, or in the midst of one that does not end. */
export interface Bell {
  /** Something happened; or something will be due in so many milliseconds. */
  call(afterMs?: number): void
  /** Resolves when there is something to do. One waits at a time. */
  rung(): Promise<void>
}

export function openBell(): Bell {
  let first = Number.POSITIVE_INFINITY
  let due = Number.POSITIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  let resolve = () => {}
  const arm = () => {
    clearTimeout(timer)
    if (due < Number.POSITIVE_INFINITY)
      timer = setTimeout(() => resolve(), Math.max(0, due - performance.now()))
  }
  return {
    call(afterMs) {
      const now = performance.now()
      if (afterMs === undefined) {
        first = Math.min(first, now)
        due = Math.min(now + quiet, first + longest)
      } else due = Math.min(due, now + afterMs)
      arm()
    },
    async rung() {
      await new Promise<void>((done) => {
        resolve = done
        arm()
      })
      clearTimeout(timer)
      first = Number.POSITIVE_INFINITY
      due = Number.POSITIVE_INFINITY
    },
  }
}
