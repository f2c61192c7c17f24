import type { Condition } from '../sanitize/rule.ts'
import type { FieldRule } from './rule.ts'

interface More {
  readonly kind?: string
  readonly when?: Partial<Condition>
  readonly name?: string
  readonly differs?: string
  readonly isNeeded?: true
}

type Row = readonly [paths: string, reason: string, more?: More]

/** URLs, IP addresses, names with dots, and `host:port`; also behind the `=` of an argument. */
const address =
  '(?:^|[=,@\\s])(?:[a-z][a-z0-9+.-]*://\\S|\\d{1,3}(?:\\.\\d{1,3}){3}\\b|[a-z0-9-]+(?:\\.[a-z0-9-]+)*\\.[a-z]{2,}(?:[:/,\\s]|$)|[a-z][a-z0-9.-]*:\\d{2,5}(?:[/,\\s]|$))'
const addressName =
  '(?:^|[_.-])(?:HOST(?:NAME)?|URLS?|URI|ADDR(?:ESS)?|ENDPOINTS?|DSN|DOMAIN|SERVERS?|BROKERS?)$'
const placeName = '^(?:.*_)?(?:ENV|ENVIRONMENT|STAGE|REGION|ZONE|CLUSTER|TENANT|NAMESPACE)$'
const secretName = '(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|CREDENTIALS?)'
const cloud =
  'amazonaws|azure|google\\.com|gke\\.io|digitalocean|openshift\\.io|cert-manager|external-dns|ingress|load-?balancer|traefik|haproxy|metallb|^service\\.(?:alpha|beta)\\.kubernetes\\.io/'
const tools =
  'helm\\.sh/|argoproj|argocd|fluxcd|kustomize|cattle\\.io|^app\\.kubernetes\\.io/(?:managed-by|instance)$'
const places = '(?:^|/)(?:env|environment|stage|region|zone|cluster|tenant)$|^topology\\.'

/** Where it runs. Before the portable ones: of what both know, what is bound stays. */
const bound: readonly Row[] = [
  ['data stringData binaryData', 'secrets belong to their environment', { kind: 'Secret' }],
  ['spec.replicas', 'how many run is up to each environment'],
  [
    'spec.minReplicas spec.maxReplicas',
    'how many run is up to each environment',
    { kind: 'HorizontalPodAutoscaler.autoscaling', isNeeded: true },
  ],
  [
    'spec.minAvailable spec.maxUnavailable',
    'it goes with how many run',
    { kind: 'PodDisruptionBudget.policy', isNeeded: true },
  ],
  ['spec.suspend spec.paused', 'whether it runs is up to each environment'],
  ['spec.rules[*].host', 'a host', { kind: 'Ingress.networking.k8s.io', isNeeded: true }],
  ['**.host **.hosts **.hostname **.hostnames **.subdomain **.externalName **.dnsNames', 'a host'],
  ['**.hostAliases **.dnsConfig', 'names and addresses of the environment'],
  ['spec.ingressClassName spec.loadBalancerClass spec.gatewayClassName', 'a class of the cluster'],
  ['spec.tls', 'a host and its certificate', { kind: 'Ingress.networking.k8s.io' }],
  ['**.storageClassName', 'a storage class of the cluster'],
  ['spec', 'storage of the environment', { kind: 'PersistentVolumeClaim', isNeeded: true }],
  ['spec', 'storage of the cluster', { kind: 'PersistentVolume', isNeeded: true }],
  ['spec.volumeClaimTemplates', 'storage of the environment', { kind: 'StatefulSet.apps', isNeeded: true }],
  ['**.nodeSelector **.nodeName **.affinity **.tolerations', 'where pods are placed'],
  ['**.topologySpreadConstraints **.schedulerName **.runtimeClassName', 'where pods are placed'],
  ['**.priorityClassName **.priority', 'a class of the cluster'],
  ['**.serviceAccountName **.serviceAccount', 'rights in the environment'],
  ['**.imagePullSecrets', 'a reference to a secret'],
  ['**.env[*]', 'a reference to a secret', { when: { path: 'valueFrom.secretKeyRef' } }],
  ['**.envFrom[*]', 'a reference to a secret', { when: { path: 'secretRef' } }],
  ['**.volumes[*]', 'a reference to a secret', { when: { path: 'secret' } }],
  ['**.volumes[*]', 'a reference to a secret', { when: { path: 'projected.sources[*].secret' } }],
  ...[
    'persistentVolumeClaim',
    'hostPath',
    'nfs',
    'csi',
    'iscsi',
    'awsElasticBlockStore',
    'gcePersistentDisk',
  ].map((source): Row => ['**.volumes[*]', 'storage of the environment', { when: { path: source } }]),
  ['**.env[*]', 'its value looks like an address', { when: { path: 'value', matches: address } }],
  ['**.env[*]', 'it is called like an address', { when: { path: 'name', matches: addressName } }],
  ['**.env[*]', 'it is called like a place', { when: { path: 'name', matches: placeName } }],
  ['**.env[*]', 'it is called like a secret', { when: { path: 'name', matches: secretName } }],
  ['**.args[*] **.command[*]', 'it looks like an address', { when: { matches: address }, isNeeded: true }],
  [
    '**.containers[*].image **.initContainers[*].image',
    'it comes from another registry',
    { differs: '^([^/]*[.:][^/]*)/' },
  ],
  ['spec.type spec.ports[*].nodePort', 'how it is reached from outside', { kind: 'Service' }],
  [
    'spec.clusterIP spec.clusterIPs spec.loadBalancerIP spec.loadBalancerSourceRanges spec.externalIPs',
    'an address of the environment',
    { kind: 'Service' },
  ],
  [
    'spec.externalTrafficPolicy spec.internalTrafficPolicy spec.ipFamilies spec.ipFamilyPolicy spec.healthCheckNodePort',
    'how it is reached from outside',
    { kind: 'Service' },
  ],
  [
    'spec.egress[*].to[*].ipBlock spec.ingress[*].from[*].ipBlock',
    'an address of the environment',
    { kind: 'NetworkPolicy.networking.k8s.io' },
  ],
  [
    'subjects',
    'who has rights is up to each environment',
    { kind: 'RoleBinding.rbac.authorization.k8s.io', isNeeded: true },
  ],
  ['metadata.annotations secrets', 'rights in the environment', { kind: 'ServiceAccount' }],
  [
    'metadata.annotations.* **.template.metadata.annotations.*',
    'it is for a controller of the cluster',
    { name: cloud },
  ],
  ['**.template.metadata.annotations["kubectl.kubernetes.io/restartedAt"]', 'when pods were restarted there'],
  ['**.template.metadata.annotations.*', 'a checksum of what the environment has', { name: '^checksum/' }],
  [
    'metadata.labels.* metadata.annotations.* **.template.metadata.labels.*',
    'a mark of the tool that deployed it',
    { name: tools },
  ],
  [
    'metadata.labels.* metadata.annotations.* **.template.metadata.labels.*',
    'it is called like a place',
    { name: places },
  ],
  ['metadata.ownerReferences metadata.finalizers', 'it belongs to the environment'],
]

const workload = 'spec spec.jobTemplate.spec'
const inSpec = (fields: string) =>
  workload
    .split(' ')
    .flatMap((spec) => fields.split(' ').map((field) => `${spec}.${field}`))
    .join(' ')

/** What runs. */
const portable: readonly Row[] = [
  ['**.containers[*].image **.initContainers[*].image', 'the image'],
  ['**.containers[*].imagePullPolicy **.initContainers[*].imagePullPolicy', 'it goes with the image'],
  ['**.containers[*].command **.containers[*].args **.containers[*].workingDir', 'what is run'],
  ['**.initContainers[*].command **.initContainers[*].args **.initContainers[*].workingDir', 'what is run'],
  ['**.containers[*].resources **.initContainers[*].resources', 'what it needs'],
  ['**.containers[*].env **.initContainers[*].env', 'a plain value'],
  [
    '**.containers[*].envFrom **.initContainers[*].envFrom',
    'a reference by a name that each environment has',
  ],
  ['**.containers[*].livenessProbe **.containers[*].readinessProbe **.containers[*].startupProbe', 'a probe'],
  ['**.containers[*].ports **.containers[*].volumeMounts **.containers[*].lifecycle', 'how it runs'],
  ['**.containers[*] **.initContainers[*]', 'how it runs'],
  ['**.volumes[*]', 'how it runs'],
  ['**.template.metadata.labels', 'a label of the pods'],
  ['**.template.metadata.annotations', 'an annotation of the pods'],
  [
    '**.template.spec.terminationGracePeriodSeconds **.template.spec.securityContext **.template.spec.restartPolicy',
    'how it runs',
  ],
  [
    '**.template.spec.enableServiceLinks **.template.spec.automountServiceAccountToken **.template.spec.shareProcessNamespace',
    'how it runs',
  ],
  [
    inSpec('strategy updateStrategy minReadySeconds revisionHistoryLimit progressDeadlineSeconds'),
    'how it is rolled out',
  ],
  [
    inSpec(
      'podManagementPolicy backoffLimit activeDeadlineSeconds ttlSecondsAfterFinished completions parallelism',
    ),
    'how it runs',
  ],
  [
    'spec.schedule spec.timeZone spec.concurrencyPolicy spec.startingDeadlineSeconds',
    'when it runs',
    { kind: 'CronJob.batch' },
  ],
  ['spec.successfulJobsHistoryLimit spec.failedJobsHistoryLimit', 'how it runs', { kind: 'CronJob.batch' }],
  ['spec.ports spec.selector spec.sessionAffinity', 'how it is reached inside', { kind: 'Service' }],
  [
    'spec.rules spec.defaultBackend',
    'which paths lead where',
    { kind: 'Ingress.networking.k8s.io', isNeeded: true },
  ],
  ['spec.metrics spec.behavior', 'when it is scaled', { kind: 'HorizontalPodAutoscaler.autoscaling' }],
  ['rules', 'what rights it is', { kind: 'Role.rbac.authorization.k8s.io' }],
  ['spec', 'who may reach whom', { kind: 'NetworkPolicy.networking.k8s.io' }],
  ['metadata.labels["app.kubernetes.io/version"]', 'the version'],
]

const rulesOf = (nature: FieldRule['nature'], rows: readonly Row[]): FieldRule[] =>
  rows.flatMap(([paths, reason, more]) =>
    paths.split(' ').map((path) => ({
      ...{ nature, path, reason, kind: more?.kind ?? '*', name: more?.name, differs: more?.differs },
      when: more?.when === undefined ? [] : [{ path: '', ...more.when }],
      isNeeded: more?.isNeeded === true,
    })),
  )

/** What is known of the fields of Kubernetes' own kinds, and of others that have pods in them. */
export const builtinFieldRules: readonly FieldRule[] = [
  ...rulesOf('bound', bound),
  ...rulesOf('portable', portable),
]

/** Values that name one of the two places, such as its namespace, are not for the other one. */
export function rulesAgainst(names: readonly string[]): FieldRule[] {
  const telling = names.filter((name) => name !== '' && name !== 'default')
  if (telling.length === 0) return []
  const escaped = telling.map((name) => name.replace(/[^\w]/g, '\\$&')).join('|')
  const matches = `(?:^|[^a-z0-9])(?:${escaped})(?:[^a-z0-9]|$)`
  const reason = 'it names one of the two places'
  return rulesOf('bound', [
    ['**.env[*]', reason, { when: { path: 'value', matches } }],
    ['**.args[*] **.command[*]', reason, { when: { matches }, isNeeded: true }],
    ['data.*', reason, { kind: 'ConfigMap', when: { matches } }],
  ])
}
