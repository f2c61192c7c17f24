import { setTimeout as delay } from 'node:timers/promises'
import { KubesyncError, messageOf } from '../../errors.ts'
import type { KubeClient } from '../../kube/client.ts'
import { ApiError } from '../../kube/errors.ts'
import type { KubeObject, ResourceRef } from '../../kube/resource.ts'
import { findForeign } from './foreign.ts'
import { agentName, isOurs, isOwnNamespace } from './objects.ts'
import { strictObjects } from './strict.ts'

export interface UninstallOptions {
  readonly namespace: string
  /** How long to wait until everything is gone, in milliseconds. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** What an uninstall tells of while it is under way. */
export type UninstallEvent =
  | { readonly type: 'deleting' | 'deleted'; readonly kind: string; readonly name: string }
  /** It was not deleted, and why: a sentence. */
  | { readonly type: 'left'; readonly kind: string; readonly name: string; readonly reason: string }

type Named = ResourceRef & { kind: string; name: string }

/**
 * Deletes what `install` made in a namespace, and the namespace if it was made with it and holds nothing else;
 * resolves when all of it is gone. Rejects with STILL_THERE when that takes longer than it may.
 */
export async function uninstall(
  client: KubeClient,
  options: UninstallOptions,
  onEvent: (event: UninstallEvent) => void,
): Promise<void> {
  const { namespace, timeoutMs, signal } = options
  const removal = { client, onEvent, signal, deadline: Date.now() + timeoutMs }
  const daemonSet = { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace, name: agentName }
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name: agentName }
  const removed = [await remove(removal, daemonSet), await remove(removal, account)]
  for (const ref of strictRefs(namespace)) removed.push(await remove(removal, ref))
  await removeNamespace(removal, { name: namespace, isKnown: removed.includes(true) })
}

/** What only strict agents have. */
function strictRefs(namespace: string): Named[] {
  return strictObjects({ name: agentName, namespace, labels: {} }, Buffer.alloc(0)).map(
    ({ apiVersion, kind, metadata }) => ({
      ...{ apiVersion, kind, namespace: metadata.namespace, name: metadata.name },
    }),
  )
}

/** Deletes what only strict agents have, of agents that are none any more; what may not be looked at stays. */
export async function removeStrict(client: KubeClient, namespace: string): Promise<void> {
  for (const ref of strictRefs(namespace)) {
    const found = await client.get(ref).catch(unlessHidden)
    if (found !== undefined && isOurs(found)) await client.delete(ref).catch(unlessGone)
  }
}

function unlessHidden(error: unknown): undefined {
  if (!(error instanceof ApiError && ['NOT_FOUND', 'FORBIDDEN'].includes(error.code))) throw error
}

interface Removal {
  readonly client: KubeClient
  readonly onEvent: (event: UninstallEvent) => void
  readonly signal: AbortSignal
  /** When it has to be done, in milliseconds since the epoch. */
  readonly deadline: number
}

/** True if it was there, and ours. */
async function remove(removal: Removal, ref: Named): Promise<boolean> {
  const { client, onEvent } = removal
  const { kind, name } = ref
  const found = await find(client, ref)
  if (found === undefined) return false
  if (isOurs(found)) await removeOwn(removal, ref, found)
  else onEvent({ type: 'left', kind, name, reason: 'kubesync did not make it' })
  return isOurs(found)
}

/** @param isKnown whether something of ours was in it. */
async function removeNamespace(
  removal: Removal,
  { name, isKnown }: { name: string; isKnown: boolean },
): Promise<void> {
  const { client, onEvent } = removal
  const ref = { apiVersion: 'v1', kind: 'Namespace', name }
  const found = await find(client, ref)
  if (found === undefined || !(isKnown || isOurs(found))) return
  const reason = isOwnNamespace(found) ? await whyNotEmpty(client, name) : 'it was there before the agent'
  if (reason !== undefined) onEvent({ type: 'left', kind: ref.kind, name, reason })
  else await removeOwn(removal, ref, found)
}

async function whyNotEmpty(client: KubeClient, namespace: string): Promise<string | undefined> {
  try {
    const foreign = await findForeign(client, namespace)
    return foreign === undefined ? undefined : `it holds ${foreign}, which kubesync did not make`
  } catch (error) {
    if (!(error instanceof KubesyncError)) throw error
    return `what else is in it cannot be told: ${messageOf(error)}`
  }
}

async function removeOwn(removal: Removal, ref: Named, found: KubeObject): Promise<void> {
  const { client, onEvent, signal } = removal
  const { kind, name } = ref
  signal.throwIfAborted()
  onEvent({ type: 'deleting', kind, name })
  // In the foreground, so that a DaemonSet is there until its last pod is gone.
  await client.delete(ref, { propagationPolicy: 'Foreground' }).catch(unlessGone)
  while (await exists(client, ref, found)) {
    if (Date.now() > removal.deadline) throw stillThere(ref)
    await delay(pauseMs, undefined, { signal })
  }
  onEvent({ type: 'deleted', kind, name })
}

/** Between two looks at what is being deleted. */
const pauseMs = 300

/** The very object, and not one of the same name that came after it. */
async function exists(client: KubeClient, ref: Named, object: KubeObject): Promise<boolean> {
  const found = await find(client, ref)
  return found !== undefined && found.metadata?.uid === object.metadata?.uid
}

async function find(client: KubeClient, ref: Named): Promise<KubeObject | undefined> {
  try {
    return await client.get(ref)
  } catch (error) {
    return unlessGone(error)
  }
}

function unlessGone(error: unknown): undefined {
  if (!(error instanceof ApiError && error.code === 'NOT_FOUND')) throw error
}

function stillThere({ kind, name, namespace }: Named): KubesyncError {
  const where = namespace === undefined ? '' : `-n ${namespace} `
  return new KubesyncError('STILL_THERE', `the ${kind} ${name} is being deleted, but is not gone yet`, {
    hint: `run it again later, or with a longer --timeout; \`kubectl ${where}describe ${kind.toLowerCase()} ${name}\` tells what it waits for`,
  })
}
