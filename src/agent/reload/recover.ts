import { KubesyncError } from '../../errors.ts'
import { isAlive } from '../radar.ts'
import { readJournal, stackOf } from './journal.ts'
import { machineOf } from './machine.ts'
import type { Memory } from './process.ts'
import { release } from './release.ts'

/** Takes back what an agent that was killed in the midst did to a process. Rejects with RELOAD_BUSY while that agent lives. */
export async function recover(pid: number, memory: Memory): Promise<boolean> {
  const base = stackOf(pid)?.start
  const journal = base === undefined ? undefined : readJournal(memory, base)
  if (base === undefined || journal === undefined || journal.done) return false
  if (isAlive(journal.agent)) {
    throw new KubesyncError('RELOAD_BUSY', 'it is being reloaded by somebody else', { hint: 'try again' })
  }
  await release({ pid, memory, machine: machineOf(process.arch), base, journal })
  return true
}
