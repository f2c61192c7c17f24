import { readdirSync } from 'node:fs'
import { KubesyncError } from '../../errors.ts'
import { isAlive } from '../radar.ts'
import { readJournal, stackOf } from './journal.ts'
import { machineOf } from './machine.ts'
import { type Memory, openMemory, proc, statOf } from './process.ts'
import { release } from './release.ts'

/** Takes back what an agent that was killed in the midst did to a process. Rejects with RELOAD_BUSY while that agent lives. */
export async function recover(pid: number, memory: Memory): Promise<void> {
  const base = stackOf(pid)?.start
  const journal = base === undefined ? undefined : readJournal(memory, base)
  if (base === undefined || journal === undefined || journal.done) return
  if (isAlive(journal.agent)) {
    throw new KubesyncError('RELOAD_BUSY', 'it is being reloaded by somebody else', { hint: 'try again' })
  }
  await release({ pid, memory, machine: machineOf(process.arch), base, journal })
}

/**
 * Lets go on what an agent that was killed left half way, wherever it is on this node: its journal is in the process's own
 * memory, so it does not matter whether that agent's pod is there any more. Such a process stands still, or spins.
 */
export async function continueLeftovers(): Promise<void> {
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!(pid > 0) || !'TR'.includes(statOf(proc(pid, 'stat'))?.state ?? 'X')) continue
    try {
      const memory = openMemory(pid)
      await recover(pid, memory).finally(() => memory.close())
    } catch {
      // It ended meanwhile, is nobody's that we may touch, or somebody works on it.
    }
  }
}
