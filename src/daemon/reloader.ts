import { KubesyncError } from '../errors.ts'
import { readPatterns } from '../files/ignore/pattern.ts'
import { Candidate, PatternList } from '../files/ignore/pattern-list.ts'
import { parentOf } from '../files/path.ts'
import type { SessionPhase } from '../files/status.ts'
import type { Path } from '../files/tree.ts'
import type { ReloadReport } from './status.ts'
import { sentence } from './troubles.ts'

/** Reloads one container when changes from this machine have arrived in it. */
export interface Reloader {
  /** A change from this machine was carried out in the container. */
  arrived(path: Path, isDirectory: boolean): void
  /** What the session does by now. */
  phase(phase: SessionPhase | undefined): void
  /** Reloads at once, or after the reload under way; never rejects. */
  now(): Promise<ReloadReport>
  stop(): void
}

export interface ReloaderOptions {
  /** As the user wrote it. */
  readonly how: string
  /** Which paths count, in the syntax of .gitignore; all unless given. */
  readonly globs: readonly string[] | undefined
  /** Does it; rejects with the reason why it could not. What it resolves with is how it was done, if not as asked. */
  readonly act: () => Promise<string | undefined>
  /** There is a new report. */
  readonly changed: (report: ReloadReport) => void
}

/** How long nothing more has to arrive before it begins, in milliseconds: editors and builds write several files. */
export const quietMs = 100

export function newReloader({ how, globs, act, changed }: ReloaderOptions): Reloader {
  const counts = matcher(globs)
  let arrivedAt: number | undefined
  let inSync = false
  let timer: NodeJS.Timeout | undefined
  let running: Promise<ReloadReport> | undefined

  function look(): void {
    clearTimeout(timer)
    if (arrivedAt === undefined || !inSync || running !== undefined) return
    const wait = arrivedAt + quietMs - performance.now()
    if (wait > 0) timer = setTimeout(look, wait)
    else void run()
  }

  function run(): Promise<ReloadReport> {
    // What arrives from now on may come too late for this time.
    arrivedAt = undefined
    running = perform(how, act).then((report) => {
      running = undefined
      changed(report)
      look()
      return report
    })
    return running
  }

  return {
    arrived(path, isDirectory) {
      if (!counts(path, isDirectory)) return
      arrivedAt = performance.now()
      look()
    },
    phase(phase) {
      inSync = phase === 'in-sync'
      look()
    },
    async now() {
      await running
      return run()
    },
    stop() {
      inSync = false
      clearTimeout(timer)
    },
  }
}

async function perform(how: string, act: ReloaderOptions['act']): Promise<ReloadReport> {
  const at = new Date().toISOString()
  const began = performance.now()
  try {
    const done = await act()
    return { at, how: done ?? how, ms: Math.round(performance.now() - began) }
  } catch (error) {
    if (!(error instanceof KubesyncError)) return { at, how, error: `it failed: ${sentence(error)}` }
    return { at, how, error: sentence(error) }
  }
}

/** Whether a path counts: as with .gitignore, one that names a directory says so of all that is in it. */
function matcher(globs: readonly string[] | undefined): (path: Path, isDirectory: boolean) => boolean {
  if (globs === undefined || globs.length === 0) return () => true
  const read = readPatterns(globs.join('\n'))
  const patterns = new PatternList(read)
  // Nothing but exceptions are exceptions from everything.
  const otherwise = read.every(({ isNegated }) => isNegated)
  return (path, isDirectory) => {
    for (let [at, directory] = [path, isDirectory]; at !== ''; [at, directory] = [parentOf(at), true]) {
      const found = patterns.find(new Candidate(at), directory)
      if (found !== undefined) return !found.isNegated
    }
    return otherwise
  }
}
