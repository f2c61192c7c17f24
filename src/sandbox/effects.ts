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

/** What of a pod has no effect, by field of its spec and of its containers. */
const podEffects: readonly (readonly [field: string, warning: string])[] = [
  [
    'securityContext',
    'securityContext has no effect in the sandbox: containers are processes of its own user',
  ],
  ['hostNetwork', 'hostNetwork has no effect in the sandbox: all pods use the network of this machine'],
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
  return [...new Set([...(own === undefined ? [] : [own]), ...podWarnings(podSpecOf(key, object))])]
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
  const said = value[field]
  return isObject(said) ? Object.keys(said).length > 0 : said === true
}
