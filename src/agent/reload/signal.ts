import { constants } from 'node:os'
import { KubesyncError } from '../../errors.ts'
import type { ProcessRef } from '../radar.ts'
import { signalTo } from './members.ts'
import { signalsIn } from './process.ts'

/** What ends a process that says nothing of it is sent only if that is its purpose. */
const deadly = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGQUIT'])
/** What does nothing to a process that says nothing of it. */
const harmless = new Set(['SIGCHLD', 'SIGCONT', 'SIGURG', 'SIGWINCH'])

/**
 * Sends a container's first process a signal. From the node even one reaches it that it does not handle, and the kernel
 * would end it: that is refused. Rejects with RELOAD_REFUSED.
 */
export function signalFirst(first: ProcessRef, name: NodeJS.Signals): void {
  const number = constants.signals[name]
  if (signalsIn(first.pid, 'SigIgn').includes(number)) {
    throw new KubesyncError('RELOAD_REFUSED', `the container's first process ignores ${name}`)
  }
  const handled =
    signalsIn(first.pid, 'SigCgt').includes(number) || signalsIn(first.pid, 'SigBlk').includes(number)
  if (!handled && !deadly.has(name) && !harmless.has(name)) {
    throw new KubesyncError(
      'RELOAD_REFUSED',
      `the container's first process does not handle ${name} and would end`,
      {
        hint: 'have it handle that signal, name another one, or use --reload restart',
      },
    )
  }
  signalTo(first, name)
}
