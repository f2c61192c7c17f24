/** Milliseconds without change after which memory is tidied. */
const QUIET = 3000
/** The same where there is change all the time. */
const PATIENCE = 60_000
/** So many changes leave something behind that is worth it. */
const MUCH = 1000

/** Has something done once a burst of changes is over; nothing waits for it. */
export class AfterBursts {
  private readonly tidy: () => void
  private timer: NodeJS.Timeout | undefined
  /** Since it was tidied. */
  private changes = 0
  /** When it was last known that there is something to tidy. */
  private begun = 0

  constructor(tidy: () => void) {
    this.tidy = tidy
  }

  /** So many things changed. */
  note(changes: number): void {
    if (changes === 0) return
    this.changes += changes
    if (this.timer === undefined && this.changes >= MUCH) {
      this.timer = setTimeout(() => this.end(), QUIET).unref()
      this.begun = performance.now()
    } else if (performance.now() - this.begun < PATIENCE) this.timer?.refresh()
  }

  private end(): void {
    this.timer = undefined
    this.changes = 0
    this.tidy()
    collectSoon()
  }
}

let collecting: NodeJS.Timeout | undefined

/** Gives memory back that nothing uses. V8 by itself does that when it needs more, which in a quiet process is never. */
function collectSoon(): void {
  if (collecting !== undefined) return
  collecting = setTimeout(() => {
    collecting = undefined
    void collect()
  }, 1000).unref()
}

/** As DevTools do it: unlike `gc()`, that moves together what is left and gives the pages back that are free then. */
async function collect(): Promise<void> {
  if (!process.features.inspector) return
  const { Session } = await import('node:inspector')
  const session = new Session()
  session.connect()
  // It calls back from the midst of it, where a disconnect would wait for itself.
  session.post('HeapProfiler.collectGarbage', () => setImmediate(() => session.disconnect()))
}
