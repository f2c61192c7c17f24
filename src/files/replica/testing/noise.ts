/** Bytes that look random and are the same each time (G. Marsaglia's xorshift). */
export function noise(size: number, seed: string): Buffer {
  const words = new Uint32Array(Math.ceil(size / 4))
  let state = 1
  for (const character of seed) state = Math.imul(state, 31) + character.charCodeAt(0)
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[i] = state
  }
  return Buffer.from(words.buffer, 0, size)
}
