import type { BoundSessionStatus, SpecStatus } from '../daemon/status.ts'
import type { LogEvent } from '../daemon/world.ts'
import type { Progress } from '../ui/progress.ts'
import { count, printable } from '../ui/text.ts'
import { describeSession, describeTransfer } from './get-rows.ts'
import { describeEvent, levels } from './log.ts'

export interface RunReportOptions {
  readonly progress: Progress
  /** Only how it ends counts: what happens on the way is told with `verbose` alone. */
  readonly quiet: boolean
}

/** Tells of a run in the foreground: one line with how it stands, and a line for what happened. */
export function runReport({ progress, quiet }: RunReportOptions) {
  // An error that ends the run is told as such: it is only a line if the run goes on.
  let held: string | undefined
  function flush(): void {
    if (held !== undefined) progress.line(held)
    held = undefined
  }
  return {
    log({ level, message }: LogEvent): void {
      if (quiet) return
      flush()
      held = describeEvent({ level, message: `${levels[level]}${message}` })
      if (level !== 'error') flush()
    },
    status(status: SpecStatus): void {
      if (status.state === 'running') flush()
      progress.update(printable(describeRun(status)))
    },
  }
}

/** How a run stands, in one line. */
export function describeRun({ state, message, sessions }: SpecStatus): string {
  const [first, second] = sessions
  if (first === undefined || state !== 'running')
    return message === undefined ? state : `${state}: ${message}`
  if (second === undefined) return describeBound(first)
  const behind = sessions.find(({ session }) => session?.phase !== 'in-sync')
  const inSync = sessions.filter(({ session }) => session?.phase === 'in-sync').length
  const head = `${inSync} of ${count(sessions.length, 'container')} in sync`
  return behind === undefined ? head : `${head}; ${describeBound(behind)}`
}

function describeBound({ pod, container, session, message }: BoundSessionStatus): string {
  const name = `${pod}/${container}`
  if (session === undefined) return `${name}: ${message ?? 'connecting'}`
  if (session.phase === 'halted') return `${name}: halted: ${session.halt}`
  const transfer = session.phase === 'syncing' ? session.progress : undefined
  return `${name}: ${transfer === undefined ? describeSession(session) : `syncing ${describeTransfer(transfer)}`}`
}
