import { once } from 'node:events'
import { constants } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { KubesyncError } from '../../errors.ts'
import { writeMessage } from '../../wire/messages.ts'
import type { Channel } from '../../wire/mux.ts'
import { type ReloadRequest, toJson } from '../protocol.ts'
import { findContainer } from '../radar.ts'
import { restartInPlace } from './restart.ts'
import { signalFirst } from './signal.ts'
import type { Stand } from './stand.ts'
import { restartContainer } from './successor.ts'

const underWay = new Set<Promise<unknown>>()

/** Does what was asked, whatever becomes of who asked, and answers on the channel. */
export async function reload(channel: Channel, request: ReloadRequest, stand: Stand): Promise<void> {
  await perform(channel, request, stand)
  channel.end()
}

async function perform(channel: Channel, { containerId, how }: ReloadRequest, stand: Stand) {
  if (how === 'restart' || how === 'restart-container') {
    if (stand.view === 'pod') {
      throw new KubesyncError('RELOAD_REFUSED', 'only the agent on the node can restart a process in place', {
        hint: 'have `ksync init` install it, or use --reload signal:… or exec:…',
      })
    }
    if (how === 'restart-container') return replace(channel, containerId, stand)
    await keep(restartInPlace(containerId, stand.proc))
    return writeMessage(channel, toJson({ ok: true }))
  }
  const first = findContainer(containerId, stand.proc)
  if (first === undefined) {
    throw new KubesyncError('CONTAINER_GONE', 'no process of the container runs on this node')
  }
  if (!isSignal(how)) throw new KubesyncError('RELOAD_REFUSED', `there is no signal ${how}`)
  signalFirst(first, how)
  await writeMessage(channel, toJson({ ok: true }))
}

/** What a container that is held may wait for, in milliseconds: a runtime gives up after two minutes. */
const holdLimit = 60_000

async function replace(channel: Channel, containerId: string, stand: Stand): Promise<void> {
  await writeMessage(channel, toJson({ ok: true }))
  const gone = once(channel.resume(), 'close').catch(() => {})
  const successor = await restartContainer(containerId, stand)
  const over = new AbortController()
  const enough = Promise.race([gone, delay(holdLimit, undefined, { signal: over.signal }).catch(() => {})])
  await keep(
    writeMessage(channel, toJson({ containerId: successor.containerId, held: successor.held }))
      .then(
        () => enough,
        () => {},
      )
      .then(() => successor.letGo()),
  )
  over.abort()
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
