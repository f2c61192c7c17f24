import { basename } from 'node:path'
import type { LogEvent } from '../daemon/world.ts'
import { styleFor } from '../ui/style.ts'
import { printable } from '../ui/text.ts'
import type { Output } from './io.ts'

/** What a line of each level begins with. */
export const levels = { info: '', warn: 'warning: ', error: 'error: ' } as const
const colours = { info: 'reset', warn: 'yellow', error: 'red' } as const

/** Prints what happened as lines: with the time of day on a terminal, with date and time in a file. */
export function logTo(output: Output, now = () => new Date()): (event: LogEvent) => void {
  const style = styleFor(output)
  return (event) => {
    const time = output.isTTY === true ? now().toTimeString().slice(0, 8) : now().toISOString()
    const level = levels[event.level]
    const label = level === '' ? '' : style(colours[event.level], level)
    output.write(`${style('dim', time)} ${label}${describeEvent(event)}\n`)
  }
}

/** What happened and to which spec or folder of manifests, on one line. */
export function describeEvent({ spec, keep, message }: LogEvent): string {
  const what = keep === undefined ? spec : basename(keep)
  return printable(what === undefined ? message : `${what}: ${message}`)
}
