import type { KubeObject } from '../object.ts'
import type { Change, Store } from '../store.ts'
import type { ObjectKey, Writer } from '../writer.ts'
import { syncDaemonSet } from './daemon-set.ts'
import { syncDeployment } from './deployment.ts'
import { controllerOf } from './pods.ts'
import { startQueue } from './queue.ts'
import { syncReplicaSet } from './replica-set.ts'
import { schedule } from './scheduler.ts'

/**
 * Starts what makes objects of objects: the scheduler, Deployments, ReplicaSets, DaemonSets, and what each namespace has.
 * All of it follows the store's commits; nothing is done within a commit itself.
 */
export function startControllers(writer: Writer, { ca }: { readonly ca: string }): { close(): void } {
  const { store } = writer
  const manager = writer.as('kube-controller-manager')
  const scheduler = writer.as('kube-scheduler')
  const syncs: Readonly<Record<string, (key: ObjectKey) => void>> = {
    pods: (key) => schedule(scheduler, key),
    namespaces: ({ name }) => fillNamespace(manager, name, ca),
    'replicasets.apps': (key) => syncReplicaSet(manager, key),
    'deployments.apps': (key) => syncDeployment(manager, key),
    'daemonsets.apps': (key) => syncDaemonSet(manager, key),
  }
  const queue = startQueue((text) => {
    const [resource = '', namespace, name = ''] = text.split('/')
    syncs[resource]?.({ resource, namespace: namespace || undefined, name })
  })
  for (const resource of Object.keys(syncs)) {
    for (const object of store.list(resource)) queue.add(textOf(resource, object.metadata))
  }
  const stop = store.onChange((change) => {
    for (const text of concerned(store, change)) queue.add(text)
  })
  return {
    close() {
      stop()
      queue.close()
    },
  }
}

function textOf(resource: string, { namespace = '', name }: KubeObject['metadata']): string {
  return `${resource}/${namespace}/${name}`
}

/** Whose work it may be what a commit asks for. */
function concerned(store: Store, { resource, object }: Change): string[] {
  if (resource === 'nodes') {
    // It may be what pods wait for.
    return ['pods', 'daemonsets.apps'].flatMap((waiting) =>
      store.list(waiting).map(({ metadata }) => textOf(waiting, metadata)),
    )
  }
  const { namespace = '', name } = object.metadata
  if (resource === 'serviceaccounts' || resource === 'configmaps') return [`namespaces//${namespace}`]
  const owner = controllerOf(object)
  const above = owner === undefined ? [] : [`${owner.kind.toLowerCase()}s.apps/${namespace}/${owner.name}`]
  return [`${resource}/${namespace}/${name}`, ...above]
}

/** What each namespace has from its beginning. */
function fillNamespace(writer: Writer, namespace: string, ca: string): void {
  const found = writer.store.get('namespaces', { name: namespace })
  if (found === undefined || found.metadata.deletionTimestamp !== undefined) return
  const account = { name: 'default', namespace }
  if (writer.store.get('serviceaccounts', account) === undefined) {
    writer.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: account })
  }
  const map = { name: 'kube-root-ca.crt', namespace }
  if (writer.store.get('configmaps', map) === undefined) {
    writer.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: map, data: { 'ca.crt': ca } })
  }
}
