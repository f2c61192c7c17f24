import { setTimeout as delay } from 'node:timers/promises'
import { freeze, thaw } from './freeze.ts'
import { type Journal, writeJournal } from './journal.ts'
import { positionsOf } from './process.ts'
import type { Surgery } from './surgery.ts'

/** How long a thread may take from the stub back to where it was, and all of them to stop; milliseconds. */
const limit = 20_000

/** Takes back whatever was done to a process, and lets it go on; nothing if it runs another program by now. */
export async function release(surgery: Surgery): Promise<void> {
  const { pid, memory, base, journal } = surgery
  try {
    // What is gone, or somebody else's, reads as nothing.
    if (memory.read(base, 1).length === 0) return
    if (journal.patches.length > 0) await freeze(pid, limit)
    if (journal.stub !== undefined) await leadBack(surgery, journal.stub)
    for (const { at, original } of journal.patches.toReversed())
      memory.write(at, Buffer.from(original, 'hex'))
    writeJournal(memory, base, { ...journal, stub: undefined, patches: [], done: true })
  } finally {
    thaw(pid)
    // In the stub no signal was blocked: one that the program was about to wait for may have been handled there. Most wait for
    // children, and nobody minds to look for them in vain.
    if (journal.stub !== undefined) process.kill(pid, 'SIGCHLD')
  }
}

/**
 * The thread that went through the stub spins at its end, with its registers as they were; others may go in circles at
 * its beginning. All go back to where they came from, and are there: one that is elsewhere handles a signal, and returns.
 */
async function leadBack(
  { pid, memory, machine }: Surgery,
  stub: NonNullable<Journal['stub']>,
): Promise<void> {
  const { at, spinAt, back, threads } = stub
  memory.write(back, machine.spin)
  const until = performance.now() + limit
  for (let pause = 0; ; pause = Math.min(pause + 1, 50)) {
    const away = positionsOf(pid).filter(
      ({ thread, counter }) => threads.includes(thread) && (counter < back || counter >= at),
    )
    if (away.length === 0) return
    if (performance.now() > until) throw new Error('a thread does not come back from where it was led')
    if (away.some(({ counter }) => counter === spinAt)) memory.write(spinAt, machine.jump(spinAt, back))
    thaw(pid)
    await delay(pause)
    await freeze(pid, limit)
  }
}
