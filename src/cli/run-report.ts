import type { BoundSessionStatus, SpecStatus } from '../daemon/status.ts'
import type { LogEvent } from '../daemon/world.ts'
import type { Progress } from '../ui/progress.ts'
import { count, printable } from '../ui/text.ts'
import { describeSession, describeTransfer } from './get-rows.ts'
import { describeEvent } from './log.ts'

export interface RunReportOptions {
  readonly progress: Progress
  /** Only how it ends counts: what happens on the way is told with `verbose` alone. */
  readonly quiet: boolean
}

/** Tells of a run in the foreground: one line with how it stands, and a line for what happened. */
export function runReport({ progress, quiet }: RunReportOptions) {
  return {
    log({ level, message }: LogEvent): void {
      if (quiet) return
      progress.line(describeEvent({ level, message: level === 'info' ? message : `${level}: ${message}` }))
    },
    status(status: SpecStatus): void {
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
  const transfer = session.phase === 'syncing' ? session.progress : undefined
  return `${name}: ${transfer === undefined ? describeSession(session) : `syncing ${describeTransfer(transfer)}`}`
}
