import { setTimeout as delay } from 'node:timers/promises'
import * as v from 'valibot'
import { KubesyncError } from '../../errors.ts'
import type { KubeClient } from '../../kube/client.ts'
import { connectNode, type NodeConnection } from '../connect.ts'
import {
  ephemeralContainer,
  findUsable,
  type Host,
  hostSchema,
  lastFailure,
  userOf,
  type Wanted,
} from './container.ts'

/** A container that runs, to be reached from inside its pod. */
export interface PodTarget {
  readonly namespace: string
  readonly pod: string
  readonly podUid: string
  readonly container: string
  readonly containerId: string
  /** For the ephemeral container: any image with Node 20 or newer in it. */
  readonly image: string
}

/** Between two looks at a container that is being started, in milliseconds. */
const PAUSE_MS = 250
/** How long it may take to start; the next attempt finds it where this one left it. */
const LIMIT_MS = 50_000

/**
 * Starts an agent in an ephemeral container of the pod, which is added if none of ours runs there. It takes the rights to
 * `get` pods, to `patch` pods/ephemeralcontainers and to `create` (and `get`) pods/exec in that namespace, and no more.
 */
export async function connectPod(client: KubeClient, target: PodTarget): Promise<NodeConnection> {
  const user = userOf(await readHost(client, target), target.container)
  const first = await start(client, target, user)
  const found = first.hello.container
  if (found?.within) return first
  await first.close()
  if (found === undefined) throw invisible(target)
  // Only now it is known whom the target's process belongs to.
  const second = await start(client, target, { uid: found.uid, gid: found.gid })
  if (second.hello.container?.within) return second
  await second.close()
  throw second.hello.container === undefined ? invisible(target) : stranger(target, found)
}

async function start(client: KubeClient, target: PodTarget, user: Wanted['user']): Promise<NodeConnection> {
  const { namespace, pod, containerId } = target
  const name = await ensure(client, target, { target: target.container, image: target.image, user })
  return connectNode(client, { namespace, pod, container: name }, { role: ['pod', name], containerId })
}

/** The name of an ephemeral container that runs. */
async function ensure(client: KubeClient, target: PodTarget, wanted: Wanted): Promise<string> {
  const deadline = Date.now() + LIMIT_MS
  let host = await readHost(client, target)
  if (findUsable(host, wanted) === undefined) {
    const failed = lastFailure(host, wanted)
    if (failed !== undefined) throw useless(target, failed)
    host = await add(client, target, ephemeralContainer(host, wanted))
  }
  for (;;) {
    const found = findUsable(host, wanted)
    if (found === undefined) throw useless(target, lastFailure(host, wanted) ?? 'it ended')
    if (found.state.running) return found.name
    const { reason = '', message = '' } = found.state.waiting ?? {}
    if (/Err|BackOff|Invalid/.test(reason)) throw useless(target, message || reason)
    if (Date.now() > deadline) throw slow(target, reason)
    await delay(PAUSE_MS)
    host = await readHost(client, target)
  }
}

async function readHost(client: KubeClient, { namespace, pod, podUid }: PodTarget): Promise<Host> {
  const host = v.parse(
    hostSchema,
    await client.get({ apiVersion: 'v1', plural: 'pods', namespace, name: pod }),
  )
  if (host.metadata.uid === podUid) return host
  throw new KubesyncError('CONTAINER_GONE', `the pod ${pod} was replaced by another one`)
}

async function add(client: KubeClient, target: PodTarget, container: object): Promise<Host> {
  const { namespace, pod, podUid } = target
  const ref = { apiVersion: 'v1', plural: 'pods', namespace, name: pod, subresource: 'ephemeralcontainers' }
  // With the uid it is a conflict if the pod is another one by now.
  const patch = { metadata: { uid: podUid }, spec: { ephemeralContainers: [container] } }
  return v.parse(hostSchema, await client.patch(ref, patch, 'strategic'))
}

const otherwise = '`ksync init` installs agents on the nodes, which do without'

function useless({ pod, image }: PodTarget, why: string): KubesyncError {
  const what = `the ephemeral container (image ${image}) in pod ${pod} does not run: ${why.trim()}`
  return new KubesyncError('AGENT_NOT_STARTED', what, {
    hint: 'choose an image that has Node 20 or newer and that the node can pull, with --agent-image',
  })
}

function slow({ pod }: PodTarget, reason: string): KubesyncError {
  const why = reason === '' ? '' : ` (${reason})`
  const what = `the ephemeral container in pod ${pod} is not up yet after ${LIMIT_MS / 1000} s${why}`
  return new KubesyncError('AGENT_NOT_READY', what, {
    hint: 'it is waited for on; the node may still pull its image',
  })
}

function invisible({ pod, container }: PodTarget): KubesyncError {
  const what = `the ephemeral container in pod ${pod} does not see the processes of ${container}`
  return new KubesyncError('CONTAINER_INVISIBLE', what, {
    hint: `it has just ended, or the node's runtime does not know targetContainerName; ${otherwise}`,
  })
}

function stranger({ pod, container }: PodTarget, { uid, gid }: { uid: number; gid: number }): KubesyncError {
  const what = `no ephemeral container of pod ${pod} may run as uid ${uid}, gid ${gid}, as ${container} does`
  return new KubesyncError('CONTAINER_CLOSED', what, { hint: otherwise })
}
