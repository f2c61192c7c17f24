import type { NodeConnection } from '../agent/connect.ts'
import { KubesyncError } from '../errors.ts'
import type { OnApplied } from '../files/aftermath.ts'
import { writesTo } from '../files/mode.ts'
import type { Attributes } from '../files/replica/attributes.ts'
import type { Replica } from '../files/replica/replica.ts'
import type { SessionStatus } from '../files/status.ts'
import type { Exclusions } from '../files/ways.ts'
import type { Binding } from './bindings.ts'
import type { Lease, Shared } from './shared.ts'
import { closed, within } from './waiting.ts'
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

async function begin(
  options: AttemptOptions,
  { listener, signal, undo }: Beginning,
): Promise<RunningSession> {
  const { binding, basePath, exclusions } = options
  const opened = async <T>({ what, limitMs = openLimit, open, close }: Opening<T>): Promise<T> => {
    signal.throwIfAborted()
    const late = () => new KubesyncError('TIMEOUT', `${what} did not answer within ${limitMs / 1000} s`)
    const value = await within(open(), { signal, limitMs, late, discard: close })
    undo.push(() => close(value))
    return value
  }
  const local = await opened({
    ...{ what: 'the local folder', limitMs: scanLimit, close: release },
    open: () => options.local.acquire(),
  })
  const node = await opened({
    ...{ what: `node ${binding.node}`, close: release },
    open: () => options.node.acquire(),
  })
  const target = {
    pod: { namespace: options.namespace, name: binding.pod, uid: binding.podUid },
    containerId: binding.containerId,
    path: options.remotePath,
    create: writesTo(binding.mode, 'remote'),
    attributes: options.attributes,
  }
  const remote = await opened({
    ...{ what: `the agent on ${binding.node}`, limitMs: scanLimit },
    open: () => node.value.openReplica(target, { rules: local.value.rules, source: local.value }),
    close: (replica) => replica.close(),
  })
  refuseReadOnly(options, { local: local.value, remote })
  const successor = await options.isSuccessor()
  const tell = {
    onStatus: (status: SessionStatus) => listener.status(status),
    warn: (message: string) => listener.warn(message),
    onApplied: listener.applied,
  }
  const parts = { binding, local: local.value, remote, exclusions, basePath, successor, ...tell }
  return opened({
    what: 'the session',
    open: () => options.startSession(parts),
    close: (session) => session.stop(),
  })
}

interface Opening<T> {
  readonly what: string
  readonly limitMs?: number
  readonly open: () => Promise<T>
  readonly close: (value: T) => unknown
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
