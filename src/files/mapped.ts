/** In bytes: from so much on, glibc maps a piece of memory at first, which costs nothing where it is never written. */
const LARGE = 128 * 2 ** 10

/**
 * So much is always mapped, and so is sure to be given back when it goes. When smaller pieces of what was mapped go,
 * glibc learns to keep pieces like them, and twice as much of all that is freed, in each thread (mallopt(3)).
 */
export const MAPPED: number = 33 * 2 ** 20

/** A buffer that takes at least so many bytes. */
export function roomFor(bytes: number): Buffer {
  return Buffer.allocUnsafeSlow(bytes < LARGE ? bytes : Math.max(bytes, MAPPED))
}
