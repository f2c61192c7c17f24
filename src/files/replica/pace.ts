/** Milliseconds of synchronous work after which others get their turn. */
const SLICE = 5
/** The clock costs as much as a cheap step. */
const STEPS_A_LOOK = 8

/** Cuts long synchronous work into slices, so that events, requests and other work are not held up. */
export class Pace {
  private readonly slice: number
  private steps = 0
  private until: number

  constructor(slice = SLICE) {
    this.slice = slice
    this.until = performance.now() + slice
  }

  /** To be asked after each small step: whether it is time to rest. */
  get due(): boolean {
    if (++this.steps % STEPS_A_LOOK !== 0) return false
    return performance.now() >= this.until
  }

  /** Lets the event loop go round once. */
  async rest(): Promise<void> {
    await new Promise<void>((resolve) => {
      setImmediate(resolve)
    })
    this.restart()
  }

  /** The caller waited for something else. */
  restart(): void {
    this.until = performance.now() + this.slice
  }
}
