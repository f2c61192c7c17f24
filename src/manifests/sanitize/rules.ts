import * as v from 'valibot'
import { type Rule, type RuleInput, ruleSchema } from './rule.ts'

const everywhere = '*'
const set = 'the server sets it'
const record = 'a record that a tool keeps, not what is wanted'
const controller = 'a controller sets it'
const allocated = 'the cluster chose it'
const lists = ['containers', 'initContainers', 'ephemeralContainers'] as const

const metadata: RuleInput[] = [
  ...['uid', 'resourceVersion', 'generation', 'selfLink', 'managedFields'].map((name) => ({
    kind: everywhere,
    path: `metadata.${name}`,
    reason: set,
  })),
  ...['deletionTimestamp', 'deletionGracePeriodSeconds'].map((name) => ({
    kind: everywhere,
    path: `metadata.${name}`,
    reason: 'it says that the object is being deleted',
  })),
  { kind: everywhere, path: '**.creationTimestamp', when: [{ equals: null }], reason: set },
  { kind: everywhere, path: 'metadata.creationTimestamp', reason: set },
  { kind: everywhere, path: 'status', reason: 'it is what is, not what is wanted' },
]

const annotations: RuleInput[] = [
  ['kubectl.kubernetes.io/last-applied-configuration', record],
  ['deployment.kubernetes.io/revision', controller],
  ['deployment.kubernetes.io/revision-history', controller],
  ['deployment.kubernetes.io/desired-replicas', controller],
  ['deployment.kubernetes.io/max-replicas', controller],
  ['deprecated.daemonset.template.generation', controller],
  ['control-plane.alpha.kubernetes.io/leader', 'a lock that changes all the time'],
  ['endpoints.kubernetes.io/last-change-trigger-time', controller],
  ['pv.kubernetes.io/bind-completed', controller],
  ['pv.kubernetes.io/bound-by-controller', controller],
  ['volume.beta.kubernetes.io/storage-provisioner', controller],
  ['volume.kubernetes.io/storage-provisioner', controller],
  ['volume.kubernetes.io/selected-node', allocated],
  ['batch.kubernetes.io/job-tracking', controller],
  ['batch.kubernetes.io/cronjob-scheduled-timestamp', controller],
  ['autoscaling.alpha.kubernetes.io/conditions', controller],
  ['autoscaling.alpha.kubernetes.io/current-metrics', controller],
  ['kubernetes.io/service-account.uid', set],
].map(([name, reason = '']) => ({
  kind: everywhere,
  path: `metadata.annotations["${name}"]`,
  reason,
}))

/** Those of the cluster itself; whoever else has a finalizer there put it there on purpose. */
const finalizers: RuleInput[] = [
  'kubernetes.io/pvc-protection',
  'kubernetes.io/pv-protection',
  'service.kubernetes.io/load-balancer-cleanup',
  'batch.kubernetes.io/job-tracking',
  'foregroundDeletion',
  'orphan',
].map((name) => ({
  kind: everywhere,
  path: 'metadata.finalizers[*]',
  when: [{ equals: name }],
  reason: controller,
}))

const services: RuleInput[] = [
  {
    kind: 'Service',
    path: 'spec.clusterIPs',
    unless: [{ path: 'spec.clusterIP', equals: 'None' }],
    allocated: true,
    reason: allocated,
  },
  { kind: 'Service', path: 'spec.clusterIP', when: [{ not: 'None' }], allocated: true, reason: allocated },
  { kind: 'Service', path: 'spec.ports[*].nodePort', allocated: true, reason: allocated },
  { kind: 'Service', path: 'spec.healthCheckNodePort', allocated: true, reason: allocated },
]

const pods: RuleInput[] = [
  { kind: 'Pod', path: 'spec.nodeName', allocated: true, reason: 'the scheduler chose it' },
  ...lists.map((list) => ({
    kind: 'Pod',
    path: `spec.${list}[*].volumeMounts[*]`,
    when: [{ path: 'name', matches: '^kube-api-access-' }],
    reason: 'the service account brings it in',
  })),
  {
    kind: 'Pod',
    path: 'spec.volumes[*]',
    when: [{ path: 'name', matches: '^kube-api-access-' }],
    reason: 'the service account brings it in',
  },
  ...['not-ready', 'unreachable'].map((taint) => ({
    kind: 'Pod',
    path: 'spec.tolerations[*]',
    when: [
      { path: 'key', equals: `node.kubernetes.io/${taint}` },
      { path: 'tolerationSeconds', equals: 300 },
    ],
    reason: 'admission adds it to every pod',
  })),
  { kind: 'Pod', path: 'spec.ephemeralContainers', reason: 'they can only be added to a pod that runs' },
]

const jobs: RuleInput[] = [
  ['Job', 'spec.selector'],
  ['Job', 'spec.template.metadata.labels["controller-uid"]'],
  ['Job', 'spec.template.metadata.labels["job-name"]'],
  ['Job', 'spec.template.metadata.labels["batch.kubernetes.io/controller-uid"]'],
  ['Job', 'spec.template.metadata.labels["batch.kubernetes.io/job-name"]'],
  ['Job', 'metadata.labels["controller-uid"]'],
  ['Job', 'metadata.labels["job-name"]'],
  ['Job', 'metadata.labels["batch.kubernetes.io/job-name"]'],
  ['Job', 'metadata.labels["batch.kubernetes.io/controller-uid"]'],
].map(([kind = '', path = '']) => ({
  kind,
  path,
  unless: [{ path: 'spec.manualSelector', equals: true }],
  reason: controller,
}))

const others: RuleInput[] = [
  { kind: 'Namespace', path: 'spec.finalizers[*]', when: [{ equals: 'kubernetes' }], reason: set },
  { kind: 'Namespace', path: 'metadata.labels["kubernetes.io/metadata.name"]', reason: set },
  { kind: 'PersistentVolumeClaim', path: 'spec.volumeName', allocated: true, reason: 'what it was bound to' },
  { kind: 'PersistentVolume', path: 'spec.claimRef.uid', reason: set },
  { kind: 'PersistentVolume', path: 'spec.claimRef.resourceVersion', reason: set },
  {
    kind: 'ServiceAccount',
    path: 'secrets[*]',
    when: [{ path: 'name', matches: '-(?:token|dockercfg)-[a-z0-9]{5}$' }],
    reason: controller,
  },
  { kind: 'CertificateSigningRequest', path: 'spec.uid', reason: set },
]

/** What does not belong into a file, of Kubernetes' own kinds. Users add theirs behind. */
export const builtinRules: readonly Rule[] = v.parse(v.array(ruleSchema), [
  ...metadata,
  ...annotations,
  ...finalizers,
  ...services,
  ...pods,
  ...jobs,
  ...others,
])
