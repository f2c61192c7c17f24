/** How often an agent is asked whether it lives, and how long it may take to answer, in milliseconds. */
const INTERVAL_MS = 15_000
const LIMIT_MS = 40_000

/**
 * Asks again and again, and tells once when no answer came in time. A stream whose other end was killed can stay
 * open for ever: some runtimes do not tell of it while it has data that nobody read.
 *
 * @param ask settles when there is an answer, or when there is nobody to ask any more
 * @returns the way to stop it
 */
export function startPulse(ask: () => Promise<unknown>, onSilence: () => void): () => void {
  let late: NodeJS.Timeout | undefined
  const answered = () => {
    clearTimeout(late)
    late = undefined
  }
  const beat = setInterval(() => {
    if (late !== undefined) return
    late = setTimeout(() => {
      clearInterval(beat)
      onSilence()
    }, LIMIT_MS).unref()
    ask().then(answered, answered)
  }, INTERVAL_MS).unref()
  return () => {
    clearInterval(beat)
    answered()
  }
}
