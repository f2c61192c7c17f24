import { at, isObject, type JsonObject, type KubeObject } from './object.ts'
import { job, podSpec, type Rule } from './pod-defaults.ts'

const when =
  (field: string, value: unknown, then: unknown) =>
  (owner: JsonObject): unknown =>
    owner[field] === value ? then : undefined

const ofVersion =
  (version: string, then: unknown) =>
  (_: JsonObject, { apiVersion }: JsonObject): unknown =>
    apiVersion === version ? then : undefined

const cpuTarget = { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } }

/** Of a pod, not of a template: what a container may use at most it also asks for. */
const requests = ({ limits, requests: asked }: JsonObject) =>
  isObject(limits) ? { ...limits, ...(isObject(asked) ? asked : {}) } : asked

const isExposed = ({ type, externalIPs }: JsonObject) =>
  type === 'NodePort' || type === 'LoadBalancer' || (type === 'ClusterIP' && externalIPs !== undefined)

const affinity = ({ sessionAffinity, sessionAffinityConfig: config }: JsonObject) => {
  if (sessionAffinity === 'None') return undefined
  const isSet = sessionAffinity !== 'ClientIP' || at(config, 'clientIP', 'timeoutSeconds') !== undefined
  return isSet ? config : { clientIP: { timeoutSeconds: 10_800 } }
}

const role: Rule[] = [
  ['roleRef.apiGroup', 'rbac.authorization.k8s.io'],
  [
    'subjects[].apiGroup',
    ({ kind }: JsonObject) => (kind === 'ServiceAccount' ? undefined : 'rbac.authorization.k8s.io'),
  ],
]

const claim: Rule[] = [
  ['status.phase', 'Pending'],
  ['spec.volumeMode', 'Filesystem'],
]

const below = (path: string, rules: readonly Rule[]) =>
  rules.map(([inner, value]): Rule => [`${path}.${inner}`, value])

/** By kind; the order counts. After the `SetDefaults_*` functions of Kubernetes' API groups. */
const table: Readonly<Record<string, readonly Rule[]>> = {
  Pod: [
    ...podSpec('spec'),
    ['spec.enableServiceLinks', true],
    ['spec.containers[].resources.requests!', requests],
    ['spec.initContainers[].resources.requests!', requests],
  ],
  PodTemplate: podSpec('template.spec'),
  Deployment: [
    ['spec.replicas', 1],
    ['spec.strategy.type', 'RollingUpdate'],
    ['spec.strategy.rollingUpdate', when('type', 'RollingUpdate', {})],
    ['spec.strategy.rollingUpdate.maxUnavailable', '25%'],
    ['spec.strategy.rollingUpdate.maxSurge', '25%'],
    ['spec.revisionHistoryLimit', 10],
    ['spec.progressDeadlineSeconds', 600],
    ...podSpec('spec.template.spec'),
  ],
  ReplicaSet: [['spec.replicas', 1], ...podSpec('spec.template.spec')],
  ReplicationController: [
    ['spec.replicas', 1],
    ['spec.selector', ({ template }: JsonObject) => at(template, 'metadata', 'labels')],
    [
      'metadata.labels',
      (_: JsonObject, root: JsonObject) => at(root, 'spec', 'template', 'metadata', 'labels'),
    ],
    ...podSpec('spec.template.spec'),
  ],
  DaemonSet: [
    ['spec.updateStrategy.type', 'RollingUpdate'],
    ['spec.updateStrategy.rollingUpdate', when('type', 'RollingUpdate', {})],
    ['spec.updateStrategy.rollingUpdate.maxUnavailable', 1],
    ['spec.updateStrategy.rollingUpdate.maxSurge', 0],
    ['spec.revisionHistoryLimit', 10],
    ...podSpec('spec.template.spec'),
  ],
  StatefulSet: [
    ['spec.podManagementPolicy', 'OrderedReady'],
    ['spec.updateStrategy.rollingUpdate', when('type', undefined, {})],
    ['spec.updateStrategy.type', 'RollingUpdate'],
    ['spec.updateStrategy.rollingUpdate.partition', 0],
    ['spec.serviceName', ''],
    ['spec.persistentVolumeClaimRetentionPolicy', {}],
    ['spec.persistentVolumeClaimRetentionPolicy.whenDeleted', 'Retain'],
    ['spec.persistentVolumeClaimRetentionPolicy.whenScaled', 'Retain'],
    ['spec.replicas', 1],
    ['spec.revisionHistoryLimit', 10],
    ...below('spec.volumeClaimTemplates[]', [
      ['apiVersion', 'v1'],
      ['kind', 'PersistentVolumeClaim'],
      ...claim,
    ]),
    ...podSpec('spec.template.spec'),
  ],
  Job: [
    ...job,
    [
      'metadata.labels',
      (_: JsonObject, root: JsonObject) => at(root, 'spec', 'template', 'metadata', 'labels'),
    ],
  ],
  CronJob: [
    ['spec.concurrencyPolicy', 'Allow'],
    ['spec.suspend', false],
    ['spec.successfulJobsHistoryLimit', 3],
    ['spec.failedJobsHistoryLimit', 1],
    ...podSpec('spec.jobTemplate.spec.template.spec'),
  ],
  Service: [
    ['spec.sessionAffinity', 'None'],
    ['spec.sessionAffinityConfig!', affinity],
    ['spec.type', 'ClusterIP'],
    ['spec.ports[].protocol', 'TCP'],
    ['spec.ports[].targetPort!', ({ port, targetPort }: JsonObject) => targetPort || port],
    ['spec.externalTrafficPolicy', (spec: JsonObject) => (isExposed(spec) ? 'Cluster' : undefined)],
    [
      'spec.internalTrafficPolicy',
      ({ type }: JsonObject) => (type === 'ExternalName' ? undefined : 'Cluster'),
    ],
    ['spec.allocateLoadBalancerNodePorts', when('type', 'LoadBalancer', true)],
  ],
  Secret: [['type', 'Opaque']],
  Namespace: [['status.phase', 'Active']],
  Node: [['status.allocatable', ({ capacity }: JsonObject) => capacity]],
  PersistentVolume: [
    ['status.phase', 'Pending'],
    ['spec.persistentVolumeReclaimPolicy', 'Retain'],
    ['spec.hostPath.type', ''],
    ['spec.volumeMode', 'Filesystem'],
  ],
  PersistentVolumeClaim: claim,
  Endpoints: [['subsets[].ports[].protocol', 'TCP']],
  EndpointSlice: [
    ['ports[].name', ''],
    ['ports[].protocol', 'TCP'],
  ],
  HorizontalPodAutoscaler: [
    ['spec.minReplicas', 1],
    ['spec.targetCPUUtilizationPercentage', ofVersion('autoscaling/v1', 80)],
    ['spec.metrics', ofVersion('autoscaling/v2', [{ type: 'Resource', resource: cpuTarget }])],
  ],
  NetworkPolicy: [
    [
      'spec.policyTypes',
      ({ egress }: JsonObject) => (egress === undefined ? ['Ingress'] : ['Ingress', 'Egress']),
    ],
    ['spec.ingress[].ports[].protocol', 'TCP'],
    ['spec.egress[].ports[].protocol', 'TCP'],
  ],
  Role: [['rules', null]],
  ClusterRole: [['rules', null]],
  RoleBinding: role,
  ClusterRoleBinding: role,
  StorageClass: [
    ['reclaimPolicy', 'Delete'],
    ['volumeBindingMode', 'Immediate'],
  ],
  PriorityClass: [['preemptionPolicy', 'PreemptLowerPriority']],
}

/** One of Kubernetes' own objects, as `validate` leaves it, with the defaults of its kind as a real server sets them. */
export function withDefaults(object: KubeObject): KubeObject {
  const rules = table[object.kind] ?? []
  return rules.reduce<JsonObject>(
    (result, [path, value]) => setDefault(result, path.split('.'), { value, root: result }),
    object,
  ) as KubeObject
}

interface Default {
  readonly value: unknown
  readonly root: JsonObject
}

function setDefault(owner: JsonObject, [segment = '', ...rest]: string[], how: Default): JsonObject {
  const name = segment.replace(/(\[\]|!)$/, '')
  const current = owner[name]
  const change = (inner: unknown) => (isObject(inner) ? setDefault(inner, rest, how) : inner)
  if (rest.length === 0) {
    if (current !== undefined && !segment.endsWith('!')) return owner
    const value = typeof how.value === 'function' ? how.value(owner, how.root) : how.value
    if (value !== undefined) return { ...owner, [name]: value }
    const { [name]: _, ...others } = owner
    return others
  }
  if (!segment.endsWith('[]')) return isObject(current) ? { ...owner, [name]: change(current) } : owner
  return Array.isArray(current) ? { ...owner, [name]: current.map(change) } : owner
}
