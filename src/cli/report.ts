import { KubesyncError } from '../errors.ts'
import { styleFor } from '../ui/style.ts'
import { printableLines } from '../ui/text.ts'
import type { Output } from './io.ts'

/** An error as the user reads it: what happened, and what to do; with `verbose` also where from. */
export function describeError(error: unknown, options: { verbose: boolean; stderr: Output }): string {
  const style = styleFor(options.stderr)
  const { message, hint } = wordsOf(error, options.verbose)
  const lines = [`${style('red', 'error:')} ${printableLines(message)}`]
  if (hint !== undefined) lines.push(`${style('cyan', 'hint:')} ${printableLines(hint)}`)
  if (options.verbose) lines.push(printableLines(stackOf(error)))
  return `${lines.join('\n')}\n`
}

/** A hint on its own, for what is no error. */
export function describeHint(hint: string, stderr: Output): string {
  return `${styleFor(stderr)('cyan', 'hint:')} ${printableLines(hint)}\n`
}

function wordsOf(error: unknown, verbose: boolean): { message: string; hint: string | undefined } {
  if (error instanceof KubesyncError) return { message: error.message, hint: error.hint }
  const message = error instanceof Error ? error.message : String(error)
  return {
    message: `something went wrong inside kubesync: ${message}`,
    hint: verbose ? undefined : 'this is a defect; run the command again with -v and report what it prints',
  }
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const own = error instanceof KubesyncError ? `${error.code}\n${error.stack ?? ''}` : (error.stack ?? '')
  return error.cause === undefined ? own : `${own}\ncaused by ${stackOf(error.cause)}`
}
