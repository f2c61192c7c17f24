import { KubesyncError } from '../../errors.ts'
import type { KubeClient } from '../../kube/client.ts'
import { ApiError } from '../../kube/errors.ts'
import type { KubeObject } from '../../kube/resource.ts'
import { describeFailure } from './failure.ts'
import { follow } from './follow.ts'
import { listEventVersions } from './keep.ts'
import {
  type AgentObject,
  type AgentOptions,
  agentName,
  agentObjects,
  isOurs,
  isOwnNamespace,
} from './objects.ts'
import type { Rollout } from './rollout.ts'
import { removeStrict } from './uninstall.ts'

/** What `applyAgent` did, for `waitForAgent`. */
export interface Applied {
  /** Of the DaemonSet. */
  readonly generation: number
  /** What had happened in the namespace before. */
  readonly oldEvents: ReadonlySet<string>
}

export interface AppliedObject {
  readonly kind: string
  readonly name: string
  /** `left`: a namespace that was there before, or that we may not see. */
  readonly change: 'created' | 'changed' | 'unchanged' | 'left'
}

export interface WaitOptions extends AgentOptions, Applied {
  /** How long to wait, in milliseconds. */
  readonly waitMs: number
  readonly signal: AbortSignal
  readonly onRollout: (rollout: Rollout) => void
}

const fieldManager = 'kubesync'

/**
 * Applies the agent's objects. It may be done again at any time, and then upgrades. Rejects with NOT_OURS before
 * it changes anything if something else has the agent's name.
 */
export async function applyAgent(
  client: KubeClient,
  options: AgentOptions,
  onObject: (object: AppliedObject) => void,
): Promise<Applied> {
  try {
    const found = await Promise.all(agentObjects(options).map((object) => look(client, object)))
    for (const { object, current } of found) refuseForeign(object, current)
    const oldEvents = await listEventVersions(client, options.namespace)
    let generation = 0
    for (const one of found) {
      const applied = await put(client, one, onObject)
      if (one.object.kind === 'DaemonSet') generation = applied?.metadata?.generation ?? 0
    }
    if (options.strictCode === undefined) await removeStrict(client, options.namespace)
    return { generation, oldEvents }
  } catch (error) {
    throw error instanceof ApiError && error.code === 'FORBIDDEN' ? needsAdministrator(error) : error
  }
}

/**
 * Waits until every node that should have an agent has one that is ready. Rejects with AGENT_NOT_READY, which says
 * why, as soon as waiting longer would not help, and when time is up.
 */
export async function waitForAgent(client: KubeClient, options: WaitOptions): Promise<void> {
  const rollout = await follow(client, options)
  if (rollout.state !== 'ready') throw describeFailure(rollout, options)
}

interface Found {
  readonly object: AgentObject
  /** What has that name now; undefined when nothing has. */
  readonly current: KubeObject | undefined
}

async function look(client: KubeClient, object: AgentObject): Promise<Found> {
  const { apiVersion, kind, metadata } = object
  const { namespace, name } = metadata
  try {
    return { object, current: await client.get({ apiVersion, kind, namespace, name }) }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.code === 'NOT_FOUND') return { object, current: undefined }
    // Whoever has rights in one namespace alone may not even look at it: it is taken for somebody else's.
    if (error.code === 'FORBIDDEN' && kind === 'Namespace') return { object, current: {} }
    throw error
  }
}

function refuseForeign({ kind, metadata }: AgentObject, current: KubeObject | undefined): void {
  if (current === undefined) return
  if (kind === 'Namespace') {
    if (current.metadata?.deletionTimestamp === undefined) return
    throw new KubesyncError('NAMESPACE_ENDING', `the namespace ${metadata.name} is being deleted`, {
      hint: 'run it again when it is gone, or choose another one with --namespace',
    })
  }
  if (isOurs(current)) return
  throw new KubesyncError(
    'NOT_OURS',
    `there is a ${kind} ${metadata.name} in namespace ${metadata.namespace} that kubesync did not make; it was left alone`,
    { hint: 'delete it if nobody needs it, or choose another namespace with --namespace' },
  )
}

async function put(
  client: KubeClient,
  { object, current }: Found,
  onObject: (object: AppliedObject) => void,
): Promise<KubeObject | undefined> {
  const { kind, metadata } = object
  const told = { kind, name: metadata.name }
  if (kind === 'Namespace' && current !== undefined && !isOwnNamespace(current)) {
    onObject({ ...told, change: 'left' })
    return undefined
  }
  // By force, because it is ours by its label: what somebody edited in it goes back to what was asked for.
  const applied: KubeObject = await client.apply<KubeObject>(object, { fieldManager, force: true })
  const same = applied.metadata?.resourceVersion === current?.metadata?.resourceVersion
  onObject({ ...told, change: current === undefined ? 'created' : same ? 'unchanged' : 'changed' })
  return applied
}

function needsAdministrator(error: ApiError): KubesyncError {
  return new KubesyncError(error.code, error.message, {
    hint: `installing ${agentName} takes an administrator's rights: --print gives the YAML for one to apply`,
    cause: error,
  })
}
