import type { JsonMap } from '../value.ts'
import { type Identity, identityOf, nameOf, referencesOf } from './references.ts'

/** Kinds in the order in which they are created where no reference says otherwise; unknown ones go last but for webhooks. */
const kinds = [
  'Namespace',
  'PriorityClass',
  'RuntimeClass',
  'StorageClass',
  'CustomResourceDefinition',
  'ResourceQuota',
  'LimitRange',
  'NetworkPolicy',
  'PodDisruptionBudget',
  'ServiceAccount',
  'Secret',
  'ConfigMap',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'ClusterRole',
  'ClusterRoleBinding',
  'Role',
  'RoleBinding',
  'Service',
  'DaemonSet',
  'Pod',
  'ReplicationController',
  'ReplicaSet',
  'Deployment',
  'StatefulSet',
  'HorizontalPodAutoscaler',
  'Job',
  'CronJob',
  'IngressClass',
  'Ingress',
]
/** They may refuse what comes after them, and need something that runs to answer. */
const last = ['APIService', 'MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']

/** Something to be written, in its place in the order. */
export interface Planned<T> {
  readonly item: T
  readonly identity: Identity
  /** The others of the set that have to be there first. */
  readonly needs: readonly Identity[]
}

/**
 * Layers of objects: what is in a layer needs only what is in layers before it. The same set gives the same layers, in
 * whatever order it comes. In a circle of references the one whose kind comes first goes first.
 */
export function layers<T>(items: readonly T[], objectOf: (item: T) => JsonMap): Planned<T>[][] {
  let waiting = sorted(planned(items, objectOf))
  const done: Planned<T>[][] = []
  while (waiting.length > 0) {
    const open = new Set(waiting.map(({ identity }) => nameOf(identity)))
    const ready = waiting.filter(({ needs }) => !needs.some((need) => open.has(nameOf(need))))
    const layer = ready.length > 0 ? ready : waiting.slice(0, 1)
    done.push(layer)
    waiting = waiting.filter((one) => !layer.includes(one))
  }
  return done
}

function planned<T>(items: readonly T[], objectOf: (item: T) => JsonMap): Planned<T>[] {
  const found = items.flatMap((item) => {
    const identity = identityOf(objectOf(item))
    return identity === undefined ? [] : [{ item, identity }]
  })
  const names = new Set(found.map(({ identity }) => nameOf(identity)))
  const definitions = definitionsIn(items.map(objectOf))
  return found.map(({ item, identity }) => {
    const definition = definitions.get(`${identity.kind}.${identity.group}`)
    const all = [...referencesOf(objectOf(item)), ...(definition === undefined ? [] : [definition])]
    const own = nameOf(identity)
    return { item, identity, needs: all.filter((to) => names.has(nameOf(to)) && nameOf(to) !== own) }
  })
}

/** The custom kinds that are defined in a set, and by what. */
function definitionsIn(objects: readonly JsonMap[]): Map<string, Identity> {
  const found = new Map<string, Identity>()
  for (const object of objects) {
    const identity = identityOf(object)
    if (identity?.kind !== 'CustomResourceDefinition') continue
    const { spec } = object as { spec?: { group?: unknown; names?: { kind?: unknown } } }
    found.set(`${String(spec?.names?.kind)}.${String(spec?.group)}`, identity)
  }
  return found
}

function sorted<T>(all: readonly Planned<T>[]): Planned<T>[] {
  return [...all].sort((a, b) => {
    const byKind = rank(a.identity.kind) - rank(b.identity.kind)
    if (byKind !== 0) return byKind
    return nameOf(a.identity) < nameOf(b.identity) ? -1 : 1
  })
}

function rank(kind: string): number {
  const late = last.indexOf(kind)
  if (late !== -1) return kinds.length + 1 + late
  const index = kinds.indexOf(kind)
  return index === -1 ? kinds.length : index
}
