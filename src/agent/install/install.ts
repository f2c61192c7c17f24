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

export interface InstallOptions extends AgentOptions {
  /** How long to wait for the agents to be ready, in milliseconds; undefined does not wait. */
  readonly waitMs: number | undefined
  readonly signal: AbortSignal
}

/** What an install tells of while it is under way. */
export type InstallEvent =
  | {
      readonly type: 'object'
      readonly kind: string
      readonly name: string
      /** `left`: a namespace that was there before and is none of ours. */
      readonly change: 'created' | 'changed' | 'unchanged' | 'left'
    }
  | { readonly type: 'rollout'; readonly rollout: Rollout }

const fieldManager = 'kubesync'

/**
 * Applies the agent's objects and, unless told otherwise, waits until every node that should have an agent
 * has one that is ready. It may be run again at any time, and then upgrades. Rejects with NOT_OURS before it
 * changes anything if something else has the agent's name, and with AGENT_NOT_READY when an agent does not come up.
 */
export async function install(
  client: KubeClient,
  options: InstallOptions,
  onEvent: (event: InstallEvent) => void,
): Promise<void> {
  const { namespace, signal, waitMs } = options
  try {
    const found = await Promise.all(agentObjects(options).map((object) => look(client, object)))
    for (const { object, current } of found) refuseForeign(object, current)
    const oldEvents = await listEventVersions(client, namespace)
    let generation = 0
    for (const { object, current } of found) {
      signal.throwIfAborted()
      const applied = await put(client, { object, current }, onEvent)
      if (object.kind === 'DaemonSet') generation = applied?.metadata?.generation ?? 0
    }
    if (waitMs === undefined) return
    const onRollout = (rollout: Rollout) => onEvent({ type: 'rollout', rollout })
    const rollout = await follow(client, { namespace, generation, oldEvents, waitMs, signal, onRollout })
    if (rollout.state !== 'ready') throw describeFailure(rollout, options)
  } catch (error) {
    throw error instanceof ApiError && error.code === 'FORBIDDEN' ? needsAdministrator(error) : error
  }
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
    if (error instanceof ApiError && error.code === 'NOT_FOUND') return { object, current: undefined }
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
  onEvent: (event: InstallEvent) => void,
): Promise<KubeObject | undefined> {
  const { kind, metadata } = object
  const told = { type: 'object', kind, name: metadata.name } as const
  if (kind === 'Namespace' && current !== undefined && !isOwnNamespace(current)) {
    onEvent({ ...told, change: 'left' })
    return undefined
  }
  // By force, because it is ours by its label: what somebody edited in it goes back to what was asked for.
  const applied: KubeObject = await client.apply<KubeObject>(object, { fieldManager, force: true })
  const same = applied.metadata?.resourceVersion === current?.metadata?.resourceVersion
  onEvent({ ...told, change: current === undefined ? 'created' : same ? 'unchanged' : 'changed' })
  return applied
}

function needsAdministrator(error: ApiError): KubesyncError {
  return new KubesyncError(error.code, error.message, {
    hint: `installing ${agentName} takes an administrator's rights: --print gives the YAML for one to apply`,
    cause: error,
  })
}
