import { at, isObject, type JsonObject, type KubeObject } from './object.ts'
import type { ResourceType } from './resource.ts'
import { list } from './values.ts'

const noController = (what: string) =>
  `the sandbox has no controller for ${what}: nothing comes of this object`
const noPermissions = 'the sandbox checks no permissions: everybody with its token may do everything'

/** What is accepted and has no effect here, by resource. */
const effects: Readonly<Record<string, string>> = {
  services: 'the sandbox has no network for Services: reach a pod with `kubectl port-forward`',
  persistentvolumes: noController('PersistentVolumes'),
  persistentvolumeclaims: noController('PersistentVolumeClaims'),
  replicationcontrollers: noController('ReplicationControllers'),
  resourcequotas: noController('ResourceQuotas'),
  limitranges: noController('LimitRanges'),
  'statefulsets.apps': noController('StatefulSets'),
  'jobs.batch': noController('Jobs'),
  'cronjobs.batch': noController('CronJobs'),
  'horizontalpodautoscalers.autoscaling': noController('HorizontalPodAutoscalers'),
  'ingresses.networking.k8s.io': noController('Ingresses'),
  'networkpolicies.networking.k8s.io': noController('NetworkPolicies'),
  'poddisruptionbudgets.policy': noController('PodDisruptionBudgets'),
  'certificatesigningrequests.certificates.k8s.io': noController('CertificateSigningRequests'),
  'roles.rbac.authorization.k8s.io': noPermissions,
  'rolebindings.rbac.authorization.k8s.io': noPermissions,
  'clusterroles.rbac.authorization.k8s.io': noPermissions,
  'clusterrolebindings.rbac.authorization.k8s.io': noPermissions,
}

/** What of the spec of a workload has no effect, unless it says what it says by default. */
const workloadEffects: readonly (readonly [field: string, byDefault: number, warning: string])[] = [
  ['minReadySeconds', 0, 'minReadySeconds has no effect in the sandbox: a pod that is ready is available'],
  [
    'progressDeadlineSeconds',
    600,
    'progressDeadlineSeconds has no effect in the sandbox: a rollout waits for as long as it takes',
  ],
  // Only DaemonSets have this one.
  [
    'updateStrategy.rollingUpdate.maxSurge',
    0,
    'maxSurge of a DaemonSet has no effect in the sandbox: a pod goes before the next one comes',
  ],
]
const unplaced = (field: string) =>
  [field, `${field} has no effect in the sandbox: a pod goes where the fewest are`] as const

/** What of a pod has no effect, by path in its spec and of its containers. */
const podEffects: readonly (readonly [field: string, warning: string])[] = [
  [
    'securityContext',
    'securityContext has no effect in the sandbox: containers are processes of its own user',
  ],
  ['hostNetwork', 'hostNetwork has no effect in the sandbox: all pods use the network of this machine'],
  unplaced('affinity.podAffinity'),
  unplaced('affinity.podAntiAffinity'),
  unplaced('affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution'),
  unplaced('topologySpreadConstraints'),
]
const containerEffects: typeof podEffects = [
  [
    'securityContext',
    'securityContext has no effect in the sandbox: containers are processes of its own user',
  ],
  ['resources', 'resources have no effect in the sandbox: containers are not limited'],
]

/** Warnings that go with a written object. */
export function effectsOf({ key }: ResourceType, object: KubeObject): string[] {
  const own = effects[key]
  const told = [
    ...(own === undefined ? [] : [own]),
    ...(key.endsWith('.apps') ? workloadWarnings(object) : []),
    ...podWarnings(podSpecOf(key, object)),
  ]
  return [...new Set(told)]
}

function workloadWarnings({ spec }: KubeObject): string[] {
  const isTold = (said: unknown, byDefault: number) => said !== undefined && said !== byDefault
  return workloadEffects
    .filter(([field, byDefault]) => isTold(at(spec, ...field.split('.')), byDefault))
    .map(([, , warning]) => warning)
}

function podSpecOf(key: string, object: KubeObject): JsonObject {
  const spec = key === 'pods' ? object.spec : at(object, 'spec', 'template', 'spec')
  return isObject(spec) ? spec : {}
}

function podWarnings(spec: JsonObject): string[] {
  const containers = [
    ...list(spec.containers),
    ...list(spec.initContainers),
    ...list(spec.ephemeralContainers),
  ]
  return [
    ...podEffects.filter(([field]) => says(spec, field)),
    ...containers.flatMap((container) => containerEffects.filter(([field]) => says(container, field))),
  ].map(([, warning]) => warning)
}

function says(value: JsonObject, field: string): boolean {
  const said = at(value, ...field.split('.'))
  return isObject(said) || Array.isArray(said) ? Object.keys(said).length > 0 : said === true
}
