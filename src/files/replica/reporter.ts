import type { Outcome } from '../operation.ts'
import type { Notice } from './protocol.ts'

const MAX_BATCH = 1024
/** How long an outcome waits for others, in milliseconds. */
const PATIENCE = 50

type Batch = Extract<Notice, { kind: 'outcomes' }> & { readonly outcomes: Outcome[] }
type Report = Batch | Extract<Notice, { kind: 'applied' }>

export interface ReporterOptions {
  readonly send: (report: Report) => void
  /** Whether the tree has changes that the other end was not told of: then what is reported now waits for them. */
  readonly hasUntold: () => boolean
}

/**
 * Tells of the outcomes of all transfers, in the order in which things happened: what one wrote may be in a
 * directory that another made, or that a scan found and did not tell of yet. In large batches when there is much
 * to tell, and soon when there is not.
 */
export class Reporter {
  private readonly options: ReporterOptions
  private ready: Report[] = []
  /** What waits for the next snapshot, which has it in its tree already. */
  private held: Report[] = []
  private size = 0
  private timer: NodeJS.Timeout | undefined

  constructor(options: ReporterOptions) {
    this.options = options
  }

  add(id: number, outcome: Outcome): void {
    const isInTree = this.options.hasUntold()
    const queue = isInTree ? this.held : this.ready
    const last = queue.at(-1)
    if (last?.id === id && last.kind === 'outcomes') last.outcomes.push(outcome)
    else queue.push({ kind: 'outcomes', id, isInTree, outcomes: [outcome] })
    this.size++
    if (this.size >= MAX_BATCH) this.flush()
    else this.timer ??= setTimeout(() => this.flush(), PATIENCE)
  }

  /** A transfer has ended. */
  finish(id: number, reason: string): void {
    const queue = this.options.hasUntold() ? this.held : this.ready
    queue.push({ kind: 'applied', id, reason })
    this.flush()
  }

  /** To be called before a snapshot is told of. */
  flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.size = 0
    for (const report of this.ready.splice(0)) this.options.send(report)
  }

  /** To be called after a snapshot was told of. */
  release(): void {
    for (const report of this.held.splice(0)) this.options.send(report)
  }
}
