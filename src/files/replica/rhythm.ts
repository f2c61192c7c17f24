/**
 * All in milliseconds. Even the first change waits for one: a file that is written anew is empty for a moment.
 */
const LEAST = 1
const SHORTEST = 4
const LONGEST = 100

/**
 * When to look after changes: at once in a quiet tree, and while changes keep coming after gaps that double, so
 * that a burst costs little and yet shows soon. It is over when nothing changed for twice the gap, so edits that
 * come every so often, and the echo of what was applied, are no burst.
 */
export class Rhythm {
  private gap = 0
  private last = Number.NEGATIVE_INFINITY

  /** How long to wait after a change that came just now; milliseconds. */
  wait(now: number): number {
    const since = now - this.last
    if (since > 2 * this.gap) this.gap = 0
    return Math.max(LEAST, this.gap - since)
  }

  /** What had changed was looked at. */
  looked(now: number): void {
    this.gap = Math.min(LONGEST, Math.max(SHORTEST, 2 * this.gap))
    this.last = now
  }
}
