/**
 * A CRC-32 over a window that moves on by one byte at a time. A CRC without its initial value and final inversion is
 * linear over GF(2): the CRC of a window is the sum (xor) of what each byte adds by itself, so a byte that leaves is
 * taken off by adding what it adds once more. (W. W. Peterson and D. T. Brown, "Cyclic Codes for Error Detection", 1961,
 * for the linearity; the table-driven step is D. V. Sarwate's, 1988.)
 */
import { crc32 } from 'node:zlib'

/** The polynomial of zlib's CRC-32, bits reversed (RFC 1952). */
const POLYNOMIAL = 0xedb88320
const BYTES = 256

/** Tables for windows of one size. With `crc` as of a window, without `affine`, it moves on by a byte like this:
 * `crc = (crc >>> 8) ^ entering[(crc ^ next) & 255] ^ leaving[first]`.
 */
export interface RollingTables {
  readonly entering: Int32Array
  readonly leaving: Int32Array
  /** What zlib's CRC-32 of a window has besides: `crc32(window) ^ affine` is what rolls. */
  readonly affine: number
}

const entering = Int32Array.from({ length: BYTES }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
  return crc
})

/** @param size bytes of the window */
export function rollingTables(size: number): RollingTables {
  // What is in front of the window by one byte.
  const window = Buffer.alloc(size + 1)
  const nothing = crc32(window)
  const leaving = new Int32Array(BYTES)
  for (let bit = 1; bit < BYTES; bit *= 2) {
    window[0] = bit
    const one = crc32(window) ^ nothing
    for (let below = 0; below < bit; below++) leaving[bit + below] = one ^ (leaving[below] ?? 0)
  }
  return { entering, leaving, affine: crc32(Buffer.alloc(size)) | 0 }
}
