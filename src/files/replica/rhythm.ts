/**
 * All in milliseconds. Even the first change waits for one: a file that is written anew is empty for a moment.
 */
const LEAST = 1
const SHORTEST = 4
const LONGEST = 100
/** A change that comes so long after a look belongs to no burst. */
const QUIET = 10

/**
 * When to look after changes: at once in a quiet tree, and while they come one upon the other after gaps that
 * double, so that a burst costs little and yet shows soon.
 */
export class Rhythm {
  private gap = 0
  private last = Number.NEGATIVE_INFINITY

  /** How long to wait after a change that came just now, the first since the last look; milliseconds. */
  wait(now: number): number {
    const since = now - this.last
    if (since > QUIET) this.gap = 0
    return Math.max(LEAST, this.gap - since)
  }

  /** What had changed was looked at. */
  looked(now: number): void {
    this.gap = Math.min(LONGEST, Math.max(SHORTEST, 2 * this.gap))
    this.last = now
  }
}
