import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../object.ts'
import type { Change, Store } from '../store.ts'
import type { ObjectKey, Writer } from '../writer.ts'
import { syncDaemonSet } from './daemon-set.ts'
import { syncDeployment } from './deployment.ts'
import type { Node, Pod } from './kinds.ts'
import { fillNamespace } from './namespace.ts'
import { condition, controllerOf } from './pods.ts'
import { startQueue } from './queue.ts'
import { syncReplicaSet } from './replica-set.ts'
import { createScheduler, isWaiting } from './scheduler.ts'

type Sync = (key: ObjectKey) => number | undefined

const watched = ['namespaces', 'nodes', 'pods', 'replicasets.apps', 'deployments.apps', 'daemonsets.apps']
const controlled: Readonly<Record<string, string>> = {
  ReplicaSet: 'replicasets.apps',
  Deployment: 'deployments.apps',
  DaemonSet: 'daemonsets.apps',
}

/**
 * Starts what makes objects of objects: the scheduler, Deployments, ReplicaSets, DaemonSets, and what each namespace has.
 * All of it follows the store's commits; nothing is done within a commit itself.
 */
export function startControllers(writer: Writer, { ca }: { readonly ca: string }): { close(): void } {
  const { store } = writer
  const manager = writer.as('kube-controller-manager')
  const scheduler = createScheduler(writer.as('kube-scheduler'))
  const syncs: Readonly<Record<string, Sync>> = {
    pods: (key) => void scheduler.schedule(key),
    namespaces: ({ name }) => void fillNamespace(manager, name, ca),
    'replicasets.apps': (key) => syncReplicaSet(manager, key),
    'deployments.apps': (key) => syncDeployment(manager, key),
    'daemonsets.apps': (key) => syncDaemonSet(manager, key),
  }
  const queue = startQueue((text) => {
    const key = keyOf(text)
    const after = syncs[key.resource]?.(key)
    if (after !== undefined) queue.addAfter(text, after)
  })
  const observe = (change: Change) => {
    scheduler.observe(change)
    for (const key of concerned(store, change)) queue.add(textOf(key))
  }
  for (const resource of watched) {
    for (const object of store.list(resource)) {
      observe({ revision: store.revision, resource, type: 'ADDED', object, previous: undefined })
    }
  }
  const stop = store.onChange(observe)
  return {
    close() {
      stop()
      queue.close()
    },
  }
}

function textOf({ resource, namespace = '', name }: ObjectKey): string {
  return `${resource}/${namespace}/${name}`
}

function keyOf(text: string): ObjectKey {
  const [resource = '', namespace, name = ''] = text.split('/')
  return { resource, namespace: namespace || undefined, name }
}

function keyFor(resource: string, { metadata }: KubeObject): ObjectKey {
  return { resource, namespace: metadata.namespace, name: metadata.name }
}

/** Whose work it is what a commit asks for. */
function concerned(store: Store, { resource, object, previous, type }: Change): ObjectKey[] {
  const { namespace } = object.metadata
  if (resource === 'nodes') return concernedByNode(store, { object, previous, type })
  if (resource === 'serviceaccounts' || resource === 'configmaps') {
    return type === 'DELETED' ? [{ resource: 'namespaces', name: namespace ?? '' }] : []
  }
  if (!watched.includes(resource)) return []
  const owner = controllerOf(object)
  const ownerResource = controlled[owner?.kind ?? '']
  const above =
    owner === undefined || ownerResource === undefined
      ? []
      : [{ resource: ownerResource, namespace, name: owner.name }]
  const isMine = type !== 'DELETED' && (resource !== 'pods' || isWaiting(object as Pod))
  return isMine ? [keyFor(resource, object), ...above] : above
}

/** A node that came, went or changed may be what pods wait for. Its heartbeats are not. */
function concernedByNode(
  store: Store,
  { object, previous, type }: Pick<Change, 'object' | 'previous' | 'type'>,
): ObjectKey[] {
  if (type === 'MODIFIED' && isDeepStrictEqual(fitOf(object), fitOf(previous))) return []
  const waiting = store.list('pods').filter((pod) => isWaiting(pod as Pod))
  return [
    ...waiting.map((pod) => keyFor('pods', pod)),
    ...store.list('daemonsets.apps').map((set) => keyFor('daemonsets.apps', set)),
  ]
}

function fitOf(node: KubeObject | undefined): unknown {
  const { metadata, spec, status } = (node ?? {}) as Partial<Node>
  return [metadata?.labels, spec, condition(status?.conditions, 'Ready')?.status]
}
