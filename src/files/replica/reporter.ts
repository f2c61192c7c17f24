import type { Outcome } from '../operation.ts'

const MAX_BATCH = 256
/** How long an outcome waits for others, in milliseconds. */
const PATIENCE = 20

/** Sends outcomes in batches: large ones when there is much to tell, and soon when there is not. */
export class Reporter {
  private readonly send: (outcomes: readonly Outcome[]) => void
  private batch: Outcome[] = []
  private timer: NodeJS.Timeout | undefined

  constructor(send: (outcomes: readonly Outcome[]) => void) {
    this.send = send
  }

  add(outcome: Outcome): void {
    this.batch.push(outcome)
    if (this.batch.length >= MAX_BATCH) this.flush()
    else this.timer ??= setTimeout(() => this.flush(), PATIENCE)
  }

  flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    if (this.batch.length === 0) return
    const { batch } = this
    this.batch = []
    this.send(batch)
  }
}
