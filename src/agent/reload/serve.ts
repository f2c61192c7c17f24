import { constants } from 'node:os'
import { KubesyncError } from '../../errors.ts'
import type { View } from '../container.ts'
import type { ReloadRequest } from '../protocol.ts'
import { findContainer } from '../radar.ts'
import { restartInPlace } from './restart.ts'
import { signalFirst } from './signal.ts'

const underWay = new Set<Promise<unknown>>()

/** Where an agent finds containers, and from where it looks. */
export interface Stand {
  readonly proc: string
  readonly view: View
}

/** Does what was asked, whatever becomes of who asked. */
export async function reload({ containerId, how }: ReloadRequest, { proc, view }: Stand): Promise<void> {
  if (how === 'restart') {
    if (view === 'pod') {
      throw new KubesyncError('RELOAD_REFUSED', 'only the agent on the node can restart a process in place', {
        hint: 'have `ksync init` install it, or use --reload signal:… or exec:…',
      })
    }
    return keep(restartInPlace(containerId, proc))
  }
  const first = findContainer(containerId, proc)
  if (first === undefined) {
    throw new KubesyncError('CONTAINER_GONE', 'no process of the container runs on this node')
  }
  if (!isSignal(how)) throw new KubesyncError('RELOAD_REFUSED', `there is no signal ${how}`)
  signalFirst(first, how)
}

function isSignal(name: string): name is NodeJS.Signals {
  return Object.hasOwn(constants.signals, name)
}

/** Resolves when no process is half way: before that this process must not end. */
export async function reloadsDone(): Promise<void> {
  await Promise.allSettled(underWay)
}

function keep<T>(work: Promise<T>): Promise<T> {
  const kept = work.finally(() => underWay.delete(kept))
  underWay.add(kept)
  return kept
}
