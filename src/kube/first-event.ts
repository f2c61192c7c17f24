import type { EventEmitter } from 'node:events'

/**
 * The first of several events, with its arguments. Rejects with what an `error` event carries, or with the reason of
 * the signal. Leaves no listener behind.
 */
export function firstEvent<E extends string>(
  emitter: EventEmitter,
  names: readonly E[],
  signal: AbortSignal,
): Promise<{ readonly name: E; readonly args: readonly unknown[] }> {
  return new Promise((resolve, reject) => {
    const listeners = names.map((name) => {
      const listener = (...args: unknown[]) => {
        cleanUp()
        resolve({ name, args })
      }
      return { name, listener }
    })
    const fail = (error: unknown) => {
      cleanUp()
      reject(error)
    }
    const abort = () => fail(signal.reason)
    const cleanUp = () => {
      for (const { name, listener } of listeners) emitter.off(name, listener)
      emitter.off('error', fail)
      signal.removeEventListener('abort', abort)
    }
    for (const { name, listener } of listeners) emitter.on(name, listener)
    emitter.on('error', fail)
    signal.addEventListener('abort', abort)
  })
}
