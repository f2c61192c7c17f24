import { setTimeout as delay } from 'node:timers/promises'
import { KubesyncError } from '../../errors.ts'
import { type Block, type BlockContent, buildBlock, journalRoom, pending } from './block.ts'
import { freeze, thaw } from './freeze.ts'
import { type Journal, readJournal, stackOf, writeJournal } from './journal.ts'
import { machineOf } from './machine.ts'
import { type Memory, type Position, positionOf, positionsOf, proc, statOf } from './process.ts'
import { release } from './release.ts'
import type { Surgery } from './surgery.ts'

/** How long a thread may take to where it is led, and the kernel to load a program; milliseconds. */
const settleLimit = 3000
const loadLimit = 10_000

/**
 * Marks a process as ours and stops it. Whoever has it now has to `release` it. Where its memory may not be
 * written (`proc_mem.force_override` and the like), this is found out before a byte is changed.
 */
export async function seize(pid: number, memory: Memory, room: number): Promise<Surgery> {
  const stack = stackOf(pid)
  if (stack === undefined) throw refusal('it has no stack of the usual kind')
  const old = readJournal(memory, stack.start)
  // A stack grows by pages, and the journal is found where it ends.
  const below = Math.floor((stack.start - room) / 4096) * 4096
  const base = old !== undefined && old.size >= room ? stack.start : below
  const surgery = mark(pid, memory, base, stack.start - base || old?.size)
  try {
    const main = await standStill(surgery)
    // The same bytes once more: whether code may be written shows, and nothing changes.
    writable(() => memory.write(main.counter, memory.read(main.counter, 8)))
  } catch (error) {
    await release(surgery)
    throw error
  }
  return surgery
}

/**
 * Stops a process, and not where it is about to handle a signal, which is where one that came at the same time has it stop:
 * the next such signal would run into what is laid there.
 */
async function standStill({ pid, memory, machine }: Surgery): Promise<Position> {
  const until = performance.now() + settleLimit
  while (performance.now() < until) {
    await freeze(pid)
    const main = positionOf(pid, pid)
    if (main === undefined) throw refusal('the kernel does not tell where it stands')
    const caller = memory.read(main.stackPointer, 8)
    const returns = caller.length < 8 ? caller : memory.read(Number(caller.readBigUInt64LE()), 9)
    if (machine.returnFromSignal === undefined || !returns.equals(machine.returnFromSignal)) return main
    thaw(pid)
    await delay(1)
  }
  throw refusal('it does nothing but handle signals')
}

/** Says in a process's memory that it is ours from now on. */
export function mark(pid: number, memory: Memory, base: number, size = journalRoom): Surgery {
  const agent = { pid: process.pid, startTime: statOf('/proc/self/stat')?.startTime ?? 0 }
  const journal: Journal = { agent, size, done: false, patches: [] }
  writable(() => writeJournal(memory, base, journal))
  return { pid, memory, machine: machineOf(process.arch), base, journal }
}

function writable(write: () => void): void {
  try {
    write()
  } catch (cause) {
    throw new KubesyncError(
      'RELOAD_REFUSED',
      'the kernel of this node lets nobody write to the memory of the process',
      {
        hint: 'use --reload restart-container, or boot the node without proc_mem.force_override=never',
        cause,
      },
    )
  }
}

export function refusal(why: string): KubesyncError {
  return new KubesyncError('RELOAD_REFUSED', `it cannot be restarted in place: ${why}`, {
    hint: 'use --reload restart-container',
  })
}

/**
 * Makes a stopped process execute a program. If that fails, this rejects, and `release` makes the process what it was.
 *
 * @param prepare does what cannot be taken back: only once nothing is left that could be in the way, but the program itself
 */
export async function execute(surgery: Surgery, prepare: () => Promise<BlockContent>): Promise<void> {
  const positions = await park(surgery)
  placeStub(surgery, positions, { calls: 0, stack: 0 })
  const content = await prepare()
  const block = buildBlock(surgery.base, content, surgery.machine)
  surgery.memory.write(block.stack, block.bytes)
  const { stub, patches } = placeStub(surgery, positions, block)
  surgery.journal.stub = stub
  patch(surgery, patches)
  const before = statOf(proc(surgery.pid, 'stat'))?.startStack
  thaw(surgery.pid)
  const until = performance.now() + loadLimit
  while (performance.now() < until) {
    const answer = surgery.memory.read(block.execResult, 8)
    const stack = statOf(proc(surgery.pid, 'stat'))?.startStack
    // Its memory is another one's now, or nobody's; the kernel sets the stack last.
    if (stack !== 0 && (answer.length < 8 || stack !== before)) return
    const result = answer.length < 8 ? pending : answer.readBigInt64LE()
    if (result !== pending) throw refusal(`the program could not be executed (error ${-result})`)
    await delay(0)
  }
  throw new KubesyncError('RELOAD_FAILED', `the program was not loaded within ${loadLimit / 1000} s`)
}

/** Replaces bytes of its program; what was there goes into the journal first. */
function patch({ memory, base, journal }: Surgery, patches: readonly { at: number; bytes: Buffer }[]): void {
  for (const { at, bytes } of patches) {
    const original = memory.read(at, bytes.length)
    if (original.length < bytes.length) throw refusal('its program ends where it stands')
    journal.patches.push({ at, original: original.toString('hex') })
  }
  writeJournal(memory, base, journal)
  for (const { at, bytes } of patches) memory.write(at, bytes)
}

/**
 * Has each thread spin where it would go on, so that none runs through what is changed; one that waits in the kernel stays
 * there until it is woken. Where the first thread is, shows only now: a signal that stops a thread within a call leaves
 * open whether it goes on after the call or starts it again.
 */
async function park(surgery: Surgery): Promise<Position[]> {
  const { pid, machine } = surgery
  const threads = positionsOf(pid)
  const ends = threads.map(({ counter }) => counter)
  const begins = threads.filter((one) => one.thread === pid && one.inCall)
  const sites = [...new Set([...ends, ...begins.map(({ counter }) => counter - machine.syscallLength)])]
  const sorted = sites.toSorted((a, b) => a - b)
  if (sorted.some((at, index) => at - (sorted[index - 1] ?? 0) < machine.spin.length)) throw crowded()
  patch(
    surgery,
    sites.map((at) => ({ at, bytes: machine.spin })),
  )
  const until = performance.now() + settleLimit
  for (let pause = 0; performance.now() < until; pause = Math.min(pause + 1, 50)) {
    thaw(pid)
    await delay(pause)
    await freeze(pid)
    const now = positionsOf(pid)
    const first = now.find(({ thread }) => thread === pid)
    if (first !== undefined && !first.inCall && sites.includes(first.counter)) return now
  }
  throw refusal('its first thread does not come to rest')
}

function crowded(): KubesyncError {
  return refusal('its threads stand too close to one another; it may go the next time')
}

interface PlacedStub {
  readonly stub: NonNullable<Journal['stub']>
  /** What is to be changed for it, the way into it last. */
  readonly patches: readonly { readonly at: number; readonly bytes: Buffer }[]
}

/** Places the stub behind where the first thread spins; throws if something is in the way there. */
function placeStub(
  { pid, machine, memory }: Surgery,
  positions: readonly Position[],
  block: Pick<Block, 'calls' | 'stack'>,
): PlacedStub {
  const first = positions.find(({ thread }) => thread === pid)
  if (first === undefined) throw refusal('its first thread has ended')
  const { counter: back, stackPointer } = first
  // Others may spin after the call that this one starts again, or before the one that this one came from.
  const at = back + machine.syscallLength + machine.spin.length
  const { code, spinAt } = machine.stub({ at, back, ...block, stackPointer })
  // A jump may take the place of the last instruction.
  const end = at + code.length + 8
  const isInTheWay = ({ counter }: Position) => counter + machine.spin.length > at && counter < end
  if (positions.some(isInTheWay)) throw crowded()
  const company = positions.filter(({ counter }) => counter >= back && counter < at)
  const { below, length } = machine.scratch
  const kept = company.map((one) => ({
    at: one.stackPointer - below,
    bytes: memory.read(one.stackPointer - below, length),
  }))
  if (kept.some(({ bytes }) => bytes.length < length)) throw refusal('a thread of it has no stack left')
  const rest = memory.read(at + code.length, end - at - code.length)
  if (rest.length < 8) throw refusal('its program ends where it stands')
  return {
    stub: { at, spinAt: at + spinAt, back, threads: company.map(({ thread }) => thread) },
    patches: [
      ...kept,
      { at, bytes: Buffer.concat([code, rest]) },
      { at: back, bytes: machine.hop(back, at) },
    ],
  }
}
