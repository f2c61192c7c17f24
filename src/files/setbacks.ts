import { concernsVolume, type Problem } from './operation.ts'
import { parentOf } from './path.ts'
import type { Side } from './side.ts'
import type { Delta, Entry, Path } from './tree.ts'

/** A missing permission mends at human speed. */
const SLOW_MS = 10_000
/** Room may be there soon: what a volume refused is tried again after this, then after twice that, … */
const FIRST_TRY_MS = 1_000
/** Something changed at the path: worth another try, but a failing path that keeps changing must not spin. */
const SOON_MS = 1_000
/** A path that moves while it is synced is tried again at once, then after 100 ms, 200 ms, … */
const FIRST_PAUSE_MS = 50
/** From here on it is said that a path does not hold still. */
const PATIENCE = 5

interface Setback {
  readonly side: Side
  readonly attempts: number
  /** When it is tried again, or undefined while it is. */
  retryAt: number | undefined
  readonly notBefore: number
  readonly problem: Problem | undefined
}

export type SidedProblem = Problem & { readonly side: Side }

/** Paths where an operation did not succeed, and when each is tried again. Times are in milliseconds. */
export class Setbacks {
  private readonly byPath = new Map<Path, Setback>()
  private readonly now: () => number

  constructor(now: () => number) {
    this.now = now
  }

  /** It changed under our hands. It is tried again after `mayRetry`, ever more slowly. */
  moved(side: Side, path: Path): void {
    const attempts = this.attemptsAt(path)
    const pause = attempts === 1 ? 0 : Math.min(SLOW_MS, FIRST_PAUSE_MS * 2 ** (attempts - 1))
    const message = 'it keeps changing while it is synced'
    const problem = attempts < PATIENCE ? undefined : { path, code: 'UNSTEADY', message }
    this.byPath.set(path, { side, attempts, retryAt: Infinity, notBefore: this.now() + pause, problem })
  }

  /** What is at the path has been looked at again. */
  mayRetry(path: Path): void {
    const setback = this.byPath.get(path)
    if (setback?.retryAt === Infinity) setback.retryAt = setback.notBefore
  }

  failed(side: Side, problem: Problem): void {
    const { path } = problem
    const attempts = this.attemptsAt(path)
    const now = this.now()
    const pause = concernsVolume(problem) ? FIRST_TRY_MS * 2 ** (attempts - 1) : SLOW_MS
    const retryAt = now + Math.min(SLOW_MS, pause)
    this.byPath.set(path, { side, attempts, retryAt, notBefore: now + SOON_MS, problem })
  }

  succeeded(path: Path): void {
    this.byPath.delete(path)
  }

  /**
   * Something changed: what lies there may be worth another try. A directory that only has a new time says
   * nothing about what is in it: a failed attempt may have left that.
   */
  changed(delta: Delta): void {
    if (this.byPath.size === 0) return
    const items = new Map(delta)
    for (const [path, setback] of this.byPath) {
      if (setback.retryAt !== undefined && setback.retryAt !== Infinity && isTouched(path, items)) {
        setback.retryAt = Math.min(setback.retryAt, Math.max(this.now(), setback.notBefore))
      }
    }
  }

  isWaiting(path: Path): boolean {
    return this.byPath.get(path)?.retryAt !== undefined
  }

  /** Whether a path, or a directory it is in, waits to be tried again. */
  covers(path: Path): boolean {
    if (this.byPath.size === 0) return false
    for (let at = path; at !== ''; at = parentOf(at)) {
      if (this.isWaiting(at)) return true
    }
    return false
  }

  /** The paths whose time has come. */
  takeDue(): Path[] {
    const now = this.now()
    const due: Path[] = []
    for (const [path, setback] of this.byPath) {
      if (setback.retryAt === undefined || setback.retryAt > now) continue
      setback.retryAt = undefined
      due.push(path)
    }
    return due
  }

  /** When the next path is to be tried; undefined or Infinity: not by time. */
  get nextAt(): number | undefined {
    let next: number | undefined
    for (const { retryAt } of this.byPath.values()) {
      if (retryAt !== undefined && (next === undefined || retryAt < next)) next = retryAt
    }
    return next
  }

  /** Forgets paths that were to be tried and for which there is nothing to do any more. */
  sweep(isBusy: (path: Path) => boolean): void {
    for (const [path, { retryAt }] of this.byPath) {
      if (retryAt === undefined && !isBusy(path)) this.byPath.delete(path)
    }
  }

  /** Whether all that waits is such that only a change will help. */
  get isPatient(): boolean {
    for (const { problem, retryAt } of this.byPath.values()) {
      if (problem === undefined || retryAt === undefined) return false
    }
    return true
  }

  get problems(): SidedProblem[] {
    const problems: SidedProblem[] = []
    for (const { side, problem } of this.byPath.values())
      if (problem !== undefined) problems.push({ ...problem, side })
    return problems
  }

  private attemptsAt(path: Path): number {
    return (this.byPath.get(path)?.attempts ?? 0) + 1
  }
}

function isTouched(path: Path, items: ReadonlyMap<Path, Entry | null>): boolean {
  if (items.has(path)) return true
  for (let at = parentOf(path); at !== ''; at = parentOf(at)) {
    const entry = items.get(at)
    if (entry !== undefined && entry?.kind !== 'directory') return true
  }
  return false
}
