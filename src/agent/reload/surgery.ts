import type { Journal } from './journal.ts'
import type { Machine } from './machine.ts'
import type { Memory } from './process.ts'

/** A process that is being restarted. */
export interface Surgery {
  readonly pid: number
  readonly memory: Memory
  readonly machine: Machine
  /** Where the journal is. */
  readonly base: number
  journal: Journal
}
