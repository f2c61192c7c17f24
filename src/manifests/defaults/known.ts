import type { Json } from '../value.ts'

/**
 * A field that a server may have filled in. What it says is only where to look: whether the value is a default is asked of the
 * server. Where that cannot be asked, a field with one of the values of `is` counts as defaulted.
 */
export interface Candidate {
  readonly field: string
  /** The values that defaults have; without it only the server can tell. */
  readonly is?: readonly Json[]
  /** The field that holds it, lists left out; any unless given. */
  readonly under?: string
  /** A field beside it that the default depends on. */
  readonly beside?: string
}

/** By the field's name. Kubernetes' own kinds, after the `SetDefaults_*` functions of its API groups. */
export const candidates: ReadonlyMap<string, readonly Candidate[]> = grouped([
  // Pods and what makes them.
  { field: 'restartPolicy', is: ['Always'] },
  { field: 'dnsPolicy', is: ['ClusterFirst'] },
  { field: 'schedulerName', is: ['default-scheduler'] },
  { field: 'terminationGracePeriodSeconds', is: [30] },
  { field: 'securityContext', is: [{}] },
  { field: 'serviceAccount', is: ['default'], under: 'spec' },
  { field: 'serviceAccount', beside: 'serviceAccountName', under: 'spec' },
  { field: 'serviceAccountName', is: ['default'] },
  { field: 'enableServiceLinks', is: [true] },
  { field: 'preemptionPolicy', is: ['PreemptLowerPriority'] },
  { field: 'priority', is: [0], under: 'spec' },
  { field: 'terminationMessagePath', is: ['/dev/termination-log'] },
  { field: 'terminationMessagePolicy', is: ['File'] },
  { field: 'imagePullPolicy', beside: 'image' },
  { field: 'resources', is: [{}] },
  { field: 'protocol', is: ['TCP'] },
  { field: 'timeoutSeconds', is: [1] },
  { field: 'periodSeconds', is: [10] },
  { field: 'successThreshold', is: [1] },
  { field: 'failureThreshold', is: [3] },
  { field: 'scheme', is: ['HTTP'], under: 'httpGet' },
  { field: 'service', is: [''], under: 'grpc' },
  { field: 'apiVersion', is: ['v1'], under: 'fieldRef' },
  { field: 'divisor', is: ['0'], under: 'resourceFieldRef' },
  { field: 'defaultMode', is: [420] },
  { field: 'type', is: [''], under: 'hostPath' },
  // Workloads.
  { field: 'progressDeadlineSeconds', is: [600] },
  { field: 'revisionHistoryLimit', is: [10] },
  { field: 'type', is: ['RollingUpdate'], under: 'strategy' },
  { field: 'type', is: ['RollingUpdate'], under: 'updateStrategy' },
  { field: 'maxUnavailable', is: ['25%', 1], under: 'rollingUpdate' },
  { field: 'maxSurge', is: ['25%', 0], under: 'rollingUpdate' },
  { field: 'partition', is: [0], under: 'rollingUpdate' },
  { field: 'podManagementPolicy', is: ['OrderedReady'] },
  { field: 'whenDeleted', is: ['Retain'] },
  { field: 'whenScaled', is: ['Retain'] },
  { field: 'apiVersion', is: ['v1'], under: 'volumeClaimTemplates' },
  { field: 'kind', is: ['PersistentVolumeClaim'], under: 'volumeClaimTemplates' },
  { field: 'status', is: [{ phase: 'Pending' }], under: 'volumeClaimTemplates' },
  { field: 'backoffLimit', is: [6] },
  { field: 'completions', is: [1] },
  { field: 'parallelism', is: [1] },
  { field: 'completionMode', is: ['NonIndexed'] },
  { field: 'manualSelector', is: [false] },
  { field: 'podReplacementPolicy', is: ['TerminatingOrFailed'] },
  { field: 'suspend', is: [false] },
  { field: 'concurrencyPolicy', is: ['Allow'] },
  { field: 'failedJobsHistoryLimit', is: [1] },
  { field: 'successfulJobsHistoryLimit', is: [3] },
  // Services and networks.
  { field: 'type', is: ['ClusterIP'], under: 'spec' },
  { field: 'sessionAffinity', is: ['None'] },
  { field: 'timeoutSeconds', is: [10800], under: 'clientIP' },
  { field: 'internalTrafficPolicy', is: ['Cluster'] },
  { field: 'externalTrafficPolicy', is: ['Cluster'] },
  { field: 'allocateLoadBalancerNodePorts', is: [true] },
  { field: 'ipFamilies', is: [['IPv4'], ['IPv6']] },
  { field: 'ipFamilyPolicy', is: ['SingleStack'] },
  { field: 'targetPort', beside: 'port' },
  { field: 'policyTypes', beside: 'egress' },
  // Storage.
  { field: 'volumeMode', is: ['Filesystem'] },
  { field: 'persistentVolumeReclaimPolicy', is: ['Retain'] },
  { field: 'reclaimPolicy', is: ['Delete'] },
  { field: 'volumeBindingMode', is: ['Immediate'] },
  { field: 'apiVersion', is: ['v1'], under: 'claimRef' },
  { field: 'kind', is: ['PersistentVolumeClaim'], under: 'claimRef' },
  // The rest.
  { field: 'type', is: ['Opaque'], under: '' },
  { field: 'apiGroup', is: ['rbac.authorization.k8s.io', ''], under: 'subjects' },
  { field: 'conversion', is: [{ strategy: 'None' }] },
  { field: 'listKind', beside: 'kind', under: 'names' },
  { field: 'singular', beside: 'kind', under: 'names' },
  { field: 'preserveUnknownFields', is: [false] },
  { field: 'matchPolicy', is: ['Equivalent'] },
  { field: 'namespaceSelector', is: [{}] },
  { field: 'objectSelector', is: [{}] },
  { field: 'reinvocationPolicy', is: ['Never'] },
  { field: 'failurePolicy', is: ['Fail'] },
  { field: 'timeoutSeconds', is: [10], under: 'webhooks' },
  { field: 'scope', is: ['*'], under: 'rules' },
  { field: 'port', is: [443], under: 'service' },
  { field: 'scope', is: ['Cluster'], under: 'parameters' },
  { field: 'minReplicas', is: [1] },
  { field: 'targetCPUUtilizationPercentage', is: [80] },
  { field: 'behavior', beside: 'maxReplicas' },
  { field: 'metrics', beside: 'maxReplicas' },
])

function grouped(all: readonly Candidate[]): Map<string, Candidate[]> {
  const found = new Map<string, Candidate[]>()
  for (const one of all) found.set(one.field, [...(found.get(one.field) ?? []), one])
  return found
}
