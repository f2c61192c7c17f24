import { at, isObject, type JsonObject, type KubeObject } from './object.ts'
import { container, type Decide, type Defaults, podSpec, template } from './pod-defaults.ts'

const map = (value: unknown): JsonObject => (isObject(value) ? value : {})

/** What a rolling update is given, where updates roll. */
const rolling =
  (values: JsonObject): Decide =>
  (now, { type }) =>
    type === 'RollingUpdate' ? { ...values, ...map(now) } : now

/** Labels of the template are those of what has it, unless that has its own. */
const labelled: Decide = (now, { spec }) => {
  const labels = at(spec, 'template', 'metadata', 'labels')
  return labels === undefined ? now : { labels, ...map(now) }
}

/** Of a pod, not of a template: what a container may use at most it also asks for. */
const requesting: Defaults = {
  resources: { requests: (now, { limits }) => (isObject(limits) ? { ...limits, ...map(now) } : now) },
}

const retained = { whenDeleted: 'Retain', whenScaled: 'Retain' }
const claim: Defaults = { status: { phase: 'Pending' }, spec: { volumeMode: 'Filesystem' } }
const rbac = 'rbac.authorization.k8s.io'
const binding: Defaults = {
  roleRef: { apiGroup: rbac },
  subjects: [{ apiGroup: (now, { kind }) => now ?? (kind === 'ServiceAccount' ? undefined : rbac) }],
}
const rules: Decide = (now) => now ?? null
const policyPorts: [Defaults] = [{ ports: [{ protocol: 'TCP' }] }]

const isExposed = ({ type, externalIPs }: JsonObject) =>
  type === 'NodePort' || type === 'LoadBalancer' || (type === 'ClusterIP' && externalIPs !== undefined)

/** By kind; the order counts. After the `SetDefaults_*` functions of Kubernetes' API groups; kinds that are not here get none. */
const table: Readonly<Record<string, Defaults>> = {
  Pod: {
    spec: {
      ...podSpec,
      enableServiceLinks: true,
      containers: [{ ...container, ...requesting }],
      initContainers: [{ ...container, ...requesting }],
    },
  },
  Deployment: {
    spec: {
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      strategy: { type: 'RollingUpdate', rollingUpdate: rolling({ maxUnavailable: '25%', maxSurge: '25%' }) },
      template,
    },
  },
  ReplicaSet: { spec: { replicas: 1, template } },
  DaemonSet: {
    spec: {
      revisionHistoryLimit: 10,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: rolling({ maxUnavailable: 1, maxSurge: 0 }) },
      template,
    },
  },
  StatefulSet: {
    spec: {
      replicas: 1,
      revisionHistoryLimit: 10,
      podManagementPolicy: 'OrderedReady',
      serviceName: '',
      updateStrategy: {
        rollingUpdate: (now, { type }) => (type === undefined || now ? { partition: 0, ...map(now) } : now),
        type: 'RollingUpdate',
      },
      persistentVolumeClaimRetentionPolicy: (now) => ({ ...retained, ...map(now) }),
      volumeClaimTemplates: [{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...claim }],
      template,
    },
  },
  Job: {
    spec: {
      completions: (now, { parallelism }) => now ?? (parallelism === undefined ? 1 : undefined),
      parallelism: 1,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      suspend: false,
      podReplacementPolicy: 'TerminatingOrFailed',
      manualSelector: false,
      template,
    },
    metadata: labelled,
  },
  CronJob: {
    spec: {
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      jobTemplate: { spec: { template } },
    },
  },
  Service: {
    spec: {
      sessionAffinity: 'None',
      sessionAffinityConfig: (now, { sessionAffinity }) =>
        sessionAffinity === 'None' ? undefined : (now ?? { clientIP: { timeoutSeconds: 10_800 } }),
      type: 'ClusterIP',
      ports: [{ protocol: 'TCP', targetPort: (now, { port }) => now || port }],
      externalTrafficPolicy: (now, spec) => now ?? (isExposed(spec) ? 'Cluster' : undefined),
      internalTrafficPolicy: (now, { type }) => now ?? (type === 'ExternalName' ? undefined : 'Cluster'),
      allocateLoadBalancerNodePorts: (now, { type }) => now ?? (type === 'LoadBalancer' ? true : undefined),
    },
  },
  Secret: { type: 'Opaque' },
  Namespace: { status: { phase: 'Active' } },
  Node: { status: { allocatable: (now, { capacity }) => now ?? capacity } },
  PersistentVolumeClaim: claim,
  NetworkPolicy: {
    spec: {
      policyTypes: (now, { egress }) => now ?? (egress === undefined ? ['Ingress'] : ['Ingress', 'Egress']),
      ingress: policyPorts,
      egress: policyPorts,
    },
  },
  Role: { rules },
  ClusterRole: { rules },
  RoleBinding: binding,
  ClusterRoleBinding: binding,
  StorageClass: { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' },
  PriorityClass: { preemptionPolicy: 'PreemptLowerPriority' },
}

/** One of Kubernetes' own objects, as `validate` leaves it, with the defaults of its kind as a real server sets them. */
export function withDefaults(object: KubeObject): KubeObject {
  return completed(object, table[object.kind] ?? {}) as KubeObject
}

function completed(owner: JsonObject, defaults: Defaults): JsonObject {
  let result = owner
  for (const [field, wanted] of Object.entries(defaults)) {
    const { [field]: now, ...others } = result
    const value = decided(now, wanted, result)
    result = value === undefined ? others : { ...result, [field]: value }
  }
  return result
}

function decided(now: unknown, wanted: Defaults[string], owner: JsonObject): unknown {
  if (typeof wanted === 'function') return wanted(now, owner)
  if (typeof wanted !== 'object') return now ?? wanted
  const below = (value: unknown, defaults: Defaults) => (isObject(value) ? completed(value, defaults) : value)
  if (!Array.isArray(wanted)) return below(now, { ...wanted })
  return Array.isArray(now) ? now.map((item) => below(item, wanted[0])) : now
}
