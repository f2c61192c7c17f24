import type { Lane } from './lane.ts'
import type { Replica } from './replica/replica.ts'
import type { Side } from './side.ts'

/** Enough that a slow answer does not hold up the rest; more would only take content from each other. */
const MAX_LANES = 4
/** One lane is always left for an edit, whatever is being transferred. */
const MAX_BULK = 3

export interface LanesListener {
  /** A lane has ended. */
  onChange(): void
  onDefect(error: unknown): void
}

/** The parts of plans that are under way at the same time. They touch different paths. */
export class Lanes {
  private readonly running = new Set<Lane>()
  private waiting: Lane[] = []
  private readonly replicas: Readonly<Record<Side, Replica>>
  private readonly listener: LanesListener

  constructor(replicas: Readonly<Record<Side, Replica>>, listener: LanesListener) {
    this.replicas = replicas
    this.listener = listener
  }

  get isIdle(): boolean {
    return this.running.size === 0 && this.waiting.length === 0
  }

  /** Whether planning had better wait, so that what changes meanwhile goes together. */
  get isFull(): boolean {
    return this.running.size >= MAX_LANES
  }

  add(lane: Lane): void {
    this.waiting.push(lane)
    this.startNext()
  }

  /** Sends nothing any more, to one side or both. The lanes end once they have told what they know of their operations. */
  cancel(side?: Side): void {
    for (const lane of [...this.waiting, ...this.running]) {
      if (side === undefined || lane.side === side) lane.cancel()
    }
  }

  private startNext(): void {
    for (const lane of this.waiting) {
      if (this.isFull) return
      const bulk = [...this.running].filter(({ isBulk }) => isBulk).length
      if (lane.isBulk && bulk >= MAX_BULK) continue
      this.waiting = this.waiting.filter((one) => one !== lane)
      this.running.add(lane)
      void lane
        .run(this.replicas)
        .catch((error) => this.listener.onDefect(error))
        .then(() => this.ended(lane))
    }
  }

  private ended(lane: Lane): void {
    this.running.delete(lane)
    this.startNext()
    this.listener.onChange()
  }
}
