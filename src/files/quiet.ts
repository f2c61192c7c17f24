import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Milliseconds without much change after which memory is tidied. */
const QUIET = 3000
/** So many changes leave something behind that is worth it. */
const MUCH = 1000

/** Has something done once a burst of changes is over; nothing waits for it. */
export class AfterBursts {
  private readonly tidy: () => void
  private timer: NodeJS.Timeout | undefined
  /** Since it was tidied. */
  private changes = 0

  constructor(tidy: () => void) {
    this.tidy = tidy
  }

  /** So many things changed. */
  note(changes: number): void {
    this.changes += changes
    if (this.timer !== undefined) this.timer.refresh()
    else if (this.changes >= MUCH) this.timer = setTimeout(() => this.end(), QUIET).unref()
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
    setFlagsFromString('--expose-gc')
    const collect: unknown = runInNewContext('gc')
    // The last resort is the one that gives pages back.
    if (typeof collect === 'function') collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  }, 1000).unref()
}
