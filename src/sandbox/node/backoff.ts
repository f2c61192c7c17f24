const first = 10_000
const longest = 300_000

/** How long a container that ends again and again has to wait, in milliseconds, and since when that holds. */
export interface BackOff {
  readonly delay: number
  readonly since: number
}

/** How long after its end a container is started again: at once if it is not known to end again and again. */
export function delayAfter(backOff: BackOff | undefined, finishedAt: number): number {
  return backOff === undefined || isOver(backOff, finishedAt) ? 0 : backOff.delay
}

/** What holds after a container was started again: 10 s, 20 s, … 5 min, and 10 s again after it ran 10 min. */
export function nextBackOff(backOff: BackOff | undefined, finishedAt: number, now: number): BackOff {
  const again = backOff !== undefined && !isOver(backOff, finishedAt)
  return { delay: again ? Math.min(backOff.delay * 2, longest) : first, since: now }
}

function isOver(backOff: BackOff, finishedAt: number): boolean {
  return finishedAt - backOff.since > 2 * longest
}

/** As the kubelet says it, with a duration as Go writes one: `back-off 1m20s`. */
export function inWords(waitMs: number): string {
  const seconds = waitMs / 1000
  return `back-off ${seconds < 60 ? '' : `${Math.floor(seconds / 60)}m`}${seconds % 60}s`
}
