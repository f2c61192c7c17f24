import { setImmediate as turn } from 'node:timers/promises'
import type { NodeConnection } from '../agent/connect.ts'
import { KubesyncError } from '../errors.ts'
import type { OnApplied } from '../files/aftermath.ts'
import type { BaseStore } from '../files/base/store.ts'
import { writesTo } from '../files/mode.ts'
import type { Attributes } from '../files/replica/attributes.ts'
import type { Replica } from '../files/replica/replica.ts'
import type { SessionStatus } from '../files/status.ts'
import type { Exclusions } from '../files/ways.ts'
import type { Binding } from './bindings.ts'
import type { Lease, Shared } from './shared.ts'
import { closed, together, within } from './waiting.ts'
import type { RunningSession, SessionParts } from './world.ts'

export interface AttemptOptions {
  readonly binding: Binding
  /** Of the pod. */
  readonly namespace: string
  /** The folder in the container. */
  readonly remotePath: string
  /** What new files get there. */
  readonly attributes: Attributes
  readonly basePath: string
  readonly exclusions: Exclusions
  readonly node: Shared<NodeConnection>
  readonly local: Shared<Replica>
  readonly openBase: (path: string) => BaseStore
  readonly isSuccessor: () => Promise<boolean>
  readonly startSession: (parts: SessionParts) => Promise<RunningSession>
}

export interface AttemptListener {
  status(status: SessionStatus): void
  warn(message: string): void
  started(session: RunningSession): void
  readonly applied: OnApplied
}

/** How long one step of opening may take, in milliseconds. */
const openLimit = 60_000
/** A replica is open once it was scanned; a tree of a million files on a cold disk takes minutes. */
const scanLimit = 600_000

/**
 * One session from its beginning to its end. Resolves, when nothing of it is left, with why it could not
 * start or is over; ends early when the signal aborts.
 */
export async function attemptSession(
  options: AttemptOptions,
  listener: AttemptListener,
  signal: AbortSignal,
): Promise<unknown> {
  const over = new AbortController()
  const undo: (() => unknown)[] = [() => over.abort()]
  try {
    const session = await begin(options, { listener, signal, undo })
    listener.started(session)
    return new Error(await Promise.race([session.closed, aborted(signal, over.signal)]))
  } catch (error) {
    return error
  } finally {
    for (const step of undo.reverse()) await closed(step)
  }
}

interface Beginning {
  readonly listener: AttemptListener
  readonly signal: AbortSignal
  /** Takes what has to be closed again, in the order in which it was opened. */
  readonly undo: (() => unknown)[]
}

/** Both sides are scanned at the same time, where it is known from before what the other one ignores. */
async function begin(
  options: AttemptOptions,
  { listener, signal, undo }: Beginning,
): Promise<RunningSession> {
  const opened = openerFor(undo)
  const [local, [base, remote]] = await together(signal, (both) => {
    const here = opened(both, {
      ...{ what: 'the local folder', limitMs: scanLimit, close: release },
      open: () => options.local.acquire(),
    }).then(({ value }) => value)
    return [here, openRemote(options, { opened, signal: both, here })]
  })
  refuseReadOnly(options, { local, remote })
  const successor = await options.isSuccessor()
  const tell = {
    onStatus: (status: SessionStatus) => listener.status(status),
    warn: (message: string) => listener.warn(message),
    onApplied: listener.applied,
  }
  const { binding, exclusions } = options
  const parts = { binding, local, remote, exclusions, base, successor, ...tell }
  return opened(signal, {
    what: 'the session',
    open: () => options.startSession(parts),
    close: (session) => session.stop(),
  })
}

interface Reaching {
  readonly opened: Opener
  readonly signal: AbortSignal
  readonly here: Promise<Replica>
}

async function openRemote(
  options: AttemptOptions,
  { opened, signal, here }: Reaching,
): Promise<[BaseStore, Replica]> {
  const { binding, namespace, remotePath, basePath, attributes } = options
  const node = await opened(signal, {
    ...{ what: `node ${binding.node}`, close: release },
    open: () => options.node.acquire(),
  })
  const target = {
    pod: { namespace, name: binding.pod, uid: binding.podUid },
    containerId: binding.containerId,
    path: remotePath,
    create: writesTo(binding.mode, 'remote'),
    attributes,
  }
  // A large one takes a while to read: meanwhile the agent has begun.
  const base = opened<BaseStore>(signal, {
    ...{ what: 'what was agreed on', close: (store: BaseStore) => store.close() },
    open: () => turn().then(() => options.openBase(basePath)),
  })
  const rules = async () => (await base).rules ?? (await here).rules
  const remote = opened(signal, {
    ...{ what: `the agent on ${binding.node}`, limitMs: scanLimit },
    open: () => node.value.openReplica(target, { rules, source: here }),
    close: (replica) => replica.close(),
  })
  return Promise.all([base, remote])
}

interface Opening<T> {
  readonly what: string
  readonly limitMs?: number
  readonly open: () => Promise<T>
  readonly close: (value: T) => unknown
}

type Opener = <T>(signal: AbortSignal, opening: Opening<T>) => Promise<T>

/** Opens things, each within its time, and puts down how they are closed again. */
function openerFor(undo: (() => unknown)[]): Opener {
  return async (signal, { what, limitMs = openLimit, open, close }) => {
    signal.throwIfAborted()
    const late = () => new KubesyncError('TIMEOUT', `${what} did not answer within ${limitMs / 1000} s`)
    const value = await within(open(), { signal, limitMs, late, discard: close })
    undo.push(() => close(value))
    return value
  }
}

function release(lease: Lease<unknown>): void {
  lease.release()
}

function refuseReadOnly(
  { binding, remotePath }: AttemptOptions,
  { local, remote }: { local: Replica; remote: Replica },
): void {
  if (writesTo(binding.mode, 'remote') && remote.info.readOnly !== undefined) {
    const where = `${remotePath} in ${binding.pod}/${binding.container}`
    const who = `uid ${remote.info.uid}`
    throw new KubesyncError(
      'REMOTE_READ_ONLY',
      `${where} may not be written by ${who}: ${remote.info.readOnly}`,
      {
        hint: 'sync another folder, change who owns it in the image, or use --remote-read-only',
      },
    )
  }
  if (writesTo(binding.mode, 'local') && local.info.readOnly !== undefined) {
    throw new KubesyncError(
      'LOCAL_READ_ONLY',
      `the local folder may not be written: ${local.info.readOnly}`,
      {
        hint: 'change its permissions, or use --local-read-only',
      },
    )
  }
}

/** Resolves when the signal aborts, and holds on to it no longer than until the other one does. */
function aborted(signal: AbortSignal, over: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('stopped')
    signal.addEventListener('abort', () => resolve('stopped'), { once: true, signal: over })
  })
}
