import { find, parsePattern, valueAt } from '../path.ts'
import { isMap, type Json, type JsonMap } from '../value.ts'

/** What an object is called; the version does not matter for who it is. */
export interface Identity {
  readonly group: string
  readonly kind: string
  /** Undefined for what belongs to the whole cluster. */
  readonly namespace: string | undefined
  readonly name: string
}

/** The object's own identity; undefined if it says too little to be one. */
export function identityOf(object: JsonMap): Identity | undefined {
  const { apiVersion, kind, metadata } = object
  const { name, namespace } = isMap(metadata) ? metadata : {}
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || typeof name !== 'string') return undefined
  return {
    group: groupOf(apiVersion),
    kind,
    namespace: typeof namespace === 'string' ? namespace : undefined,
    name,
  }
}

/** `Deployment.apps shop/web`: the same text for the same object. */
export function nameOf({ group, kind, namespace, name }: Identity): string {
  const qualified = group === '' ? kind : `${kind}.${group}`
  return `${qualified} ${namespace === undefined ? '' : `${namespace}/`}${name}`
}

/** What `nameOf` made a name of. */
export function identityFrom(text: string): Identity {
  const [qualified = '', place = ''] = text.split(' ')
  const [kind = '', ...group] = qualified.split('.')
  const [first = '', second] = place.split('/')
  const isPlaced = second !== undefined
  return {
    ...{ group: group.join('.'), kind },
    ...{ namespace: isPlaced ? first : undefined, name: second ?? first },
  }
}

interface Target {
  readonly group: string
  readonly kind: string
  readonly isGlobal?: true
}

const core = (kind: string): Target => ({ group: '', kind })
const [configMap, secret, service] = [core('ConfigMap'), core('Secret'), core('Service')]

/** What a pod needs to start, by the path of the name in its spec. */
const podReferences: readonly (readonly [path: string, target: Target])[] = [
  ['serviceAccountName', core('ServiceAccount')],
  ['imagePullSecrets[*].name', secret],
  ['priorityClassName', { group: 'scheduling.k8s.io', kind: 'PriorityClass', isGlobal: true }],
  ['runtimeClassName', { group: 'node.k8s.io', kind: 'RuntimeClass', isGlobal: true }],
  ['volumes[*].configMap.name', configMap],
  ['volumes[*].secret.secretName', secret],
  ['volumes[*].persistentVolumeClaim.claimName', core('PersistentVolumeClaim')],
  ['volumes[*].projected.sources[*].configMap.name', configMap],
  ['volumes[*].projected.sources[*].secret.name', secret],
  ...['containers', 'initContainers'].flatMap((list) => [
    [`${list}[*].env[*].valueFrom.configMapKeyRef.name`, configMap] as const,
    [`${list}[*].env[*].valueFrom.secretKeyRef.name`, secret] as const,
    [`${list}[*].envFrom[*].configMapRef.name`, configMap] as const,
    [`${list}[*].envFrom[*].secretRef.name`, secret] as const,
  ]),
]

/** Where pods are described, by kind. */
const podSpecs: Readonly<Record<string, string>> = {
  Pod: 'spec',
  ReplicationController: 'spec.template.spec',
  'Deployment.apps': 'spec.template.spec',
  'DaemonSet.apps': 'spec.template.spec',
  'ReplicaSet.apps': 'spec.template.spec',
  'StatefulSet.apps': 'spec.template.spec',
  'Job.batch': 'spec.template.spec',
  'CronJob.batch': 'spec.jobTemplate.spec.template.spec',
}

/** What else refers to what, by kind and the path of the name. */
const references: Readonly<Record<string, readonly (readonly [path: string, target: Target])[]>> = {
  'StatefulSet.apps': [['spec.serviceName', service]],
  'Ingress.networking.k8s.io': [
    ['spec.defaultBackend.service.name', service],
    ['spec.rules[*].http.paths[*].backend.service.name', service],
    ['spec.tls[*].secretName', secret],
    ['spec.ingressClassName', { group: 'networking.k8s.io', kind: 'IngressClass', isGlobal: true }],
  ],
  PersistentVolumeClaim: [
    ['spec.storageClassName', { group: 'storage.k8s.io', kind: 'StorageClass', isGlobal: true }],
    ['spec.volumeName', { group: '', kind: 'PersistentVolume', isGlobal: true }],
  ],
  ServiceAccount: [
    ['secrets[*].name', secret],
    ['imagePullSecrets[*].name', secret],
  ],
}

/** Where an object says a group, kind and name itself. */
const spelled: Readonly<Record<string, string>> = {
  'RoleBinding.rbac.authorization.k8s.io': 'roleRef',
  'ClusterRoleBinding.rbac.authorization.k8s.io': 'roleRef',
  'HorizontalPodAutoscaler.autoscaling': 'spec.scaleTargetRef',
}

/** What has to be there before an object can be created or can work. */
export function referencesOf(object: JsonMap): Identity[] {
  const own = identityOf(object)
  if (own === undefined) return []
  const kind = own.group === '' ? own.kind : `${own.kind}.${own.group}`
  const podSpec = podSpecs[kind]
  const inPods =
    podSpec === undefined ? [] : podReferences.map(([path, to]) => [`${podSpec}.${path}`, to] as const)
  const named = [...inPods, ...(references[kind] ?? [])].flatMap(([path, target]) =>
    namesAt(object, path).map((name) => at(own, target, name)),
  )
  const home: Identity[] =
    own.namespace === undefined
      ? []
      : [{ group: '', kind: 'Namespace', namespace: undefined, name: own.namespace }]
  return [...home, ...named, ...spelledOf(object, { own, path: spelled[kind] }), ...accountsOf(object, kind)]
}

function at({ namespace }: Identity, { group, kind, isGlobal }: Target, name: string): Identity {
  return { group, kind, namespace: isGlobal ? undefined : namespace, name }
}

function namesAt(object: Json, path: string): string[] {
  return find(object, parsePattern(path))
    .map((found) => valueAt(object, found))
    .filter((name) => typeof name === 'string')
}

function spelledOf(object: JsonMap, { own, path }: { own: Identity; path: string | undefined }): Identity[] {
  const target = path === undefined ? undefined : valueAt(object, path.split('.'))
  if (!isMap(target)) return []
  const { apiGroup, apiVersion, kind, name } = target
  if (typeof kind !== 'string' || typeof name !== 'string') return []
  const group =
    typeof apiGroup === 'string' ? apiGroup : typeof apiVersion === 'string' ? groupOf(apiVersion) : ''
  return [{ group, kind, namespace: kind === 'ClusterRole' ? undefined : own.namespace, name }]
}

function accountsOf(object: JsonMap, kind: string): Identity[] {
  if (!/^(Cluster)?RoleBinding\./.test(kind) || !Array.isArray(object.subjects)) return []
  return object.subjects.filter(isMap).flatMap(({ kind: subject, name, namespace }) => {
    if (subject !== 'ServiceAccount' || typeof name !== 'string' || typeof namespace !== 'string') return []
    return [{ group: '', kind: 'ServiceAccount', namespace, name }]
  })
}

/** The group of an `apiVersion`; empty for the core one. */
export function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''
}
