/**
 * Which of two versions was made last, though the clocks of two machines never agree. The difference of the clocks
 * is measured over the connection as of Cristian (Probabilistic clock synchronization, 1989): the other side's
 * answer was given between the question and its arrival here, and of several the quickest says most. What cannot be
 * told for certain is not told.
 */
import type { Contestants } from './contest.ts'
import type { Side } from './side.ts'
import type { Entry } from './tree.ts'

/** How far remote's clock is ahead of local's, in milliseconds, and how far off that may be. */
export interface Clocks {
  readonly offsetMs: number
  readonly uncertaintyMs: number
}

/** Kernels stamp files by a clock that ticks; at 100 Hz it is this late, in milliseconds. */
const TICK_MS = 10
/** What some filesystems and archives keep times in: FAT in two seconds, in milliseconds. */
const COARSE_MS = 2000
/** Slower answers tell nothing. Milliseconds. */
const MAX_UNCERTAINTY_MS = 60_000

/** The side whose version was made last; undefined if that cannot be told. */
export function newerOf({ local, remote }: Contestants, clocks: Clocks): Side | undefined {
  const here = madeAt(local)
  const there = madeAt(remote)
  if (here === undefined || there === undefined || clocks.uncertaintyMs > MAX_UNCERTAINTY_MS) return undefined
  const ahead = here.from - (there.from - clocks.offsetMs)
  const known = Math.abs(ahead) > clocks.uncertaintyMs + Math.max(here.within, there.within)
  if (!known) return undefined
  return ahead > 0 ? 'local' : 'remote'
}

/** When a version was made, by its own side's clock; a directory's time says nothing of what is in it. */
function madeAt(entry: Entry | undefined): { readonly from: number; readonly within: number } | undefined {
  if (entry?.kind !== 'file' && entry?.kind !== 'symlink') return undefined
  const { mtimeMs, ctimeMs } = entry.stamp
  // Made later than it was last changed: somebody set that time, by whatever clock.
  if (mtimeMs > ctimeMs + TICK_MS) return undefined
  return { from: mtimeMs, within: mtimeMs % 1000 === 0 ? COARSE_MS : TICK_MS }
}

/** Questions; the quickest answer counts. */
const SAMPLES = 5

type AskTime = () => Promise<number>

/** Measures by asking both sides for their time, in milliseconds since 1970. */
export async function measureClocks(ask: Readonly<Record<Side, AskTime>>): Promise<Clocks> {
  let best: Clocks = { offsetMs: 0, uncertaintyMs: Infinity }
  for (let i = 0; i < SAMPLES; i++) {
    const before = await ask.local()
    const time = await ask.remote()
    const half = ((await ask.local()) - before) / 2
    // Clocks are read in whole milliseconds; one that was set meanwhile may go back.
    const uncertaintyMs = half < 0 ? Infinity : half + 1
    if (uncertaintyMs < best.uncertaintyMs) best = { offsetMs: time - (before + half), uncertaintyMs }
  }
  return best
}
