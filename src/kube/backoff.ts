const FIRST_MS = 250
const LONGEST_MS = 10_000

/**
 * Exponential back-off with equal jitter: the first attempt at once, then after 250 ms, 500 ms, … 10 s, each
 * shortened at random by up to a half, so that many clients of a server that comes back do not come at once.
 */
export function backoff(random: () => number = Math.random): { next(): number; reset(): void } {
  let attempt = 0
  return {
    next: () => {
      const longest = attempt === 0 ? 0 : Math.min(FIRST_MS * 2 ** (attempt - 1), LONGEST_MS)
      attempt += 1
      return longest * (1 - random() / 2)
    },
    reset: () => {
      attempt = 0
    },
  }
}
