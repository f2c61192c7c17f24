import * as v from 'valibot'
import { journalRoom } from './block.ts'
import { type Mapping, type Memory, mappingsOf } from './process.ts'

const address = v.pipe(v.number(), v.safeInteger(), v.minValue(1))
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))

/**
 * What an agent did to a process, kept in that process's own memory: it lives exactly as long as what it tells of, and
 * whoever comes after an agent that was killed can take everything back.
 */
const journalSchema = v.object({
  /** Who does it. */
  agent: v.object({ pid: count, startTime: count }),
  /** Bytes from its beginning on that are there to be used again. */
  size: count,
  /** Nothing is left to be taken back. */
  done: v.boolean(),
  /** What was where something else is now, in the order in which it was replaced; hex. */
  patches: v.array(v.object({ at: address, original: v.pipe(v.string(), v.regex(/^([0-9a-f]{2})*$/)) })),
  /** Where threads may be that were led away from a place. */
  stub: v.optional(v.object({ at: address, spinAt: address, back: address, threads: v.array(count) })),
})
export type Journal = v.InferOutput<typeof journalSchema>

const magic = Buffer.from('kubesync reload\n', 'latin1')
const header = magic.length + 4

export function stackOf(pid: number): Mapping | undefined {
  return mappingsOf(pid).find(({ name }) => name === '[stack]')
}

export function writeJournal(memory: Memory, at: number, journal: Journal): void {
  const text = Buffer.from(JSON.stringify(journal))
  if (header + text.length > journalRoom) throw new RangeError('the journal is too long')
  const length = Buffer.alloc(4)
  length.writeUInt32LE(text.length)
  memory.write(at, Buffer.concat([magic, length, text]))
}

/** The journal at an address; undefined if there is none. The process may have made it up: that harms itself alone. */
export function readJournal(memory: Memory, at: number): Journal | undefined {
  const head = memory.read(at, header)
  if (head.length < header || !head.subarray(0, magic.length).equals(magic)) return undefined
  const length = Math.min(head.readUInt32LE(magic.length), journalRoom - header)
  try {
    return v.parse(journalSchema, JSON.parse(memory.read(at + header, length).toString()))
  } catch {
    return undefined
  }
}
