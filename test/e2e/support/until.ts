import { setTimeout as delay } from 'node:timers/promises'

/**
 * Waits until a look at the outside world shows what is expected. There is no event to await across a
 * process border, so it looks again after a short while, and says at the end what it saw last.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T> | T,
  options: { holds: (seen: T) => boolean; limit?: number; every?: number },
): Promise<T> {
  const limit = options.limit ?? 60_000
  const end = Date.now() + limit
  let last: unknown
  for (;;) {
    try {
      const seen = await look()
      if (options.holds(seen)) return seen
      last = seen
    } catch (error) {
      last = error
    }
    if (Date.now() > end) {
      const shown = last instanceof Error ? last.message : JSON.stringify(last)
      throw new Error(`after ${limit} ms still not so: ${what}; last seen: ${shown?.slice(0, 4000)}`)
    }
    await delay(options.every ?? 50)
  }
}
