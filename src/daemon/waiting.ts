import { setTimeout as delay } from 'node:timers/promises'

export interface Limits<T> {
  readonly signal: AbortSignal
  /** Milliseconds. */
  readonly limitMs: number
  /** What to reject with when time ran out. */
  readonly late: () => Error
  /** Disposes of what came after nobody waited for it any more. */
  readonly discard: (value: T) => void
}

/** Settles as `work` does, unless it is aborted or late; what it then still brings is disposed of. */
export async function within<T>(work: Promise<T>, { signal, limitMs, late, discard }: Limits<T>): Promise<T> {
  const over = new AbortController()
  const stop = AbortSignal.any([signal, over.signal])
  let given = false
  const timeout = delay(limitMs, undefined, { signal: stop }).then(
    () => Promise.reject(late()),
    () => Promise.reject(signal.reason),
  )
  try {
    const value = await Promise.race([work, timeout])
    given = true
    return value
  } finally {
    if (!given) work.then(discard, () => {})
    over.abort()
  }
}

/** Waits for both of two pieces of work; when one fails, the other is aborted and waited for, and that is the error. */
export async function together<A, B>(
  signal: AbortSignal,
  begin: (both: AbortSignal) => [Promise<A>, Promise<B>],
): Promise<[A, B]> {
  const failing = new AbortController()
  const work = begin(AbortSignal.any([signal, failing.signal]))
  try {
    return await Promise.all(work)
  } catch (error) {
    failing.abort(error)
    await Promise.allSettled(work)
    throw error
  }
}

/** How long closing something may take, in milliseconds. */
const closeLimit = 5_000

/** Closes something, without failing or hanging: what is left of a broken connection is nobody's trouble. */
export async function closed(close: () => unknown): Promise<void> {
  const work = Promise.resolve().then(close)
  const { signal } = new AbortController()
  const late = () => new Error('late')
  await within(work, { signal, limitMs: closeLimit, late, discard: () => {} }).catch(() => {})
}

/** A pause that can be cut short, from outside or for good. */
export interface Pause {
  /** Resolves after that many milliseconds, when woken, or when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  wake(): void
}

export function newPause(): Pause {
  let waker = new AbortController()
  return {
    async sleep(ms, signal) {
      waker = new AbortController()
      await delay(ms, undefined, { signal: AbortSignal.any([signal, waker.signal]) }).catch(() => {})
    },
    wake: () => waker.abort(),
  }
}

/** How soon things are tried again; milliseconds. */
export interface Pace {
  readonly firstMs: number
  readonly maxMs: number
}

export interface Backoff {
  /** How long to wait before the next attempt: doubled each time, spread so that many do not come at once. */
  next(): number
  reset(): void
}

export function newBackoff({ firstMs, maxMs }: Pace): Backoff {
  let attempts = 0
  return {
    next() {
      const full = Math.min(maxMs, firstMs * 2 ** Math.min(attempts, 30))
      attempts += 1
      return full * (0.5 + Math.random() / 2)
    },
    reset() {
      attempts = 0
    },
  }
}

export interface Insistence {
  readonly signal: AbortSignal
  readonly pace: Pace
  readonly failed: (error: unknown) => void
}

/** Does something until it works; undefined when it was aborted. */
export async function insist<T>(work: () => Promise<T>, options: Insistence): Promise<T | undefined> {
  const backoff = newBackoff(options.pace)
  while (!options.signal.aborted) {
    try {
      return await work()
    } catch (error) {
      options.failed(error)
    }
    await newPause().sleep(backoff.next(), options.signal)
  }
  return undefined
}
