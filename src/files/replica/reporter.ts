import type { Outcome } from '../operation.ts'

const MAX_BATCH = 256
/** How long an outcome waits for others, in milliseconds. */
const PATIENCE = 20

interface Batch {
  readonly id: number
  readonly outcomes: Outcome[]
}

/**
 * Sends outcomes in batches: large ones when there is much to tell, and soon when there is not. Those of several
 * transfers keep the order in which things happened, since what one wrote may be in a directory another made.
 */
export class Reporter {
  private readonly send: (batch: Batch) => void
  private batches: Batch[] = []
  private size = 0
  private timer: NodeJS.Timeout | undefined

  constructor(send: (batch: Batch) => void) {
    this.send = send
  }

  /** @param id of the transfer */
  add(id: number, outcome: Outcome): void {
    const last = this.batches.at(-1)
    if (last?.id === id) last.outcomes.push(outcome)
    else this.batches.push({ id, outcomes: [outcome] })
    this.size++
    if (this.size >= MAX_BATCH) this.flush()
    else this.timer ??= setTimeout(() => this.flush(), PATIENCE)
  }

  flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.size = 0
    for (const batch of this.batches.splice(0)) this.send(batch)
  }
}
