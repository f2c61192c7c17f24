import { constants } from 'node:os'
import { KubesyncError } from '../../errors.ts'
import type { ProcessRef } from '../radar.ts'
import { signalTo } from './members.ts'
import { signalsIn } from './process.ts'

/**
 * Sends a container's first process a signal. One that it does not handle would not reach it, or end it where it is not the
 * first of its process namespace: that is refused, but for SIGKILL. Rejects with RELOAD_REFUSED.
 */
export function signalFirst(first: ProcessRef, name: NodeJS.Signals): void {
  const number = constants.signals[name]
  if (signalsIn(first.pid, 'SigIgn').includes(number)) {
    throw new KubesyncError('RELOAD_REFUSED', `the container's first process ignores ${name}`)
  }
  const handled =
    signalsIn(first.pid, 'SigCgt').includes(number) || signalsIn(first.pid, 'SigBlk').includes(number)
  if (!handled && name !== 'SIGKILL') {
    throw new KubesyncError('RELOAD_REFUSED', `the container's first process does not handle ${name}`, {
      hint: 'have it handle that signal, name another one, or use --reload restart',
    })
  }
  signalTo(first, name)
}
