import { closed } from './waiting.ts'

/** Something that several use at once, opened for the first and closed after the last. */
export interface Shared<T> {
  /** Opens it, or joins those who use it. Rejects when it cannot be opened; the next call tries again. */
  acquire(): Promise<Lease<T>>
  /** Closes it, whoever uses it. */
  close(): Promise<void>
}

export interface Lease<T> {
  readonly value: T
  /** To be called once. */
  release(): void
}

export interface SharedOptions<T> {
  readonly open: () => Promise<T>
  readonly close: (value: T) => Promise<void>
  /** Settles when it is gone by itself: the next one to acquire it gets a new one. */
  readonly gone: (value: T) => Promise<unknown>
  /** Milliseconds that it stays open without users, who may be back in a moment. */
  readonly lingerMs: number
}

interface Held<T> {
  readonly opening: Promise<T>
  users: number
  timer: NodeJS.Timeout | undefined
}

export function share<T>({ open, close, gone, lingerMs }: SharedOptions<T>): Shared<T> {
  let current: Held<T> | undefined

  function drop(held: Held<T>): void {
    clearTimeout(held.timer)
    if (current === held) current = undefined
  }

  async function end(held: Held<T>): Promise<void> {
    drop(held)
    await closed(() => held.opening.then(close))
  }

  function begin(): Held<T> {
    const held: Held<T> = { opening: open(), users: 0, timer: undefined }
    held.opening.then(gone).then(
      () => drop(held),
      () => drop(held),
    )
    return held
  }

  function leave(held: Held<T>): void {
    held.users -= 1
    if (held.users === 0 && current === held) held.timer = setTimeout(() => void end(held), lingerMs)
  }

  return {
    async acquire() {
      current ??= begin()
      const held = current
      clearTimeout(held.timer)
      held.users += 1
      try {
        return { value: await held.opening, release: () => leave(held) }
      } catch (error) {
        leave(held)
        throw error
      }
    },
    async close() {
      if (current !== undefined) await end(current)
    },
  }
}
