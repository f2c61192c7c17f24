import type { Condition } from '../sanitize/rule.ts'
import type { FieldRule } from './rule.ts'

interface More {
  readonly when?: Partial<Condition>
  readonly name?: string
  readonly differs?: string
  readonly isNeeded?: true
}

/** An `@` in a path stands for each container. */
type Row = readonly [kind: string, paths: string, reason: string, more?: More]

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

const ingress = 'Ingress.networking.k8s.io'
const policy = 'NetworkPolicy.networking.k8s.io'
const autoscaler = 'HorizontalPodAutoscaler.autoscaling'
const cronJob = 'CronJob.batch'
const marks = 'metadata.labels.* metadata.annotations.* **.template.metadata.labels.*'
const annotations = 'metadata.annotations.* **.template.metadata.annotations.*'
const [count, placing, secret] = ['how many there are', 'where pods are placed', 'a reference to a secret']
const [storage, host, outside] = ['storage of the environment', 'a host', 'how it is reached from outside']
const isNeeded = { isNeeded: true } as const
const sources = ['persistentVolumeClaim', 'hostPath', 'nfs', 'csi', 'iscsi', 'awsElasticBlockStore']

/** Where it runs. Before the portable ones: of what both know, what is bound stays. */
const bound: readonly Row[] = [
  ['Secret', 'data stringData binaryData', 'secrets belong to their environment'],
  ['*', 'spec.replicas', count],
  [autoscaler, 'spec.minReplicas spec.maxReplicas', count, isNeeded],
  ['PodDisruptionBudget.policy', 'spec.minAvailable spec.maxUnavailable', count, isNeeded],
  ['*', 'spec.suspend spec.paused', 'whether it runs is up to each environment'],
  [ingress, 'spec.rules[*].host', host, isNeeded],
  ['*', '**.host **.hosts **.hostname **.hostnames **.subdomain **.externalName **.dnsNames', host],
  ['*', '**.hostAliases **.dnsConfig', 'names and addresses of the environment'],
  ['*', 'spec.ingressClassName spec.loadBalancerClass spec.gatewayClassName', 'a class of the cluster'],
  [ingress, 'spec.tls', 'a host and its certificate'],
  ['*', '**.storageClassName', 'a storage class of the cluster'],
  ['PersistentVolumeClaim', 'spec', storage, isNeeded],
  ['StatefulSet.apps', 'spec.volumeClaimTemplates', storage, isNeeded],
  ['*', '**.nodeSelector **.nodeName **.affinity **.tolerations', placing],
  ['*', '**.topologySpreadConstraints **.schedulerName **.runtimeClassName', placing],
  ['*', '**.priorityClassName **.priority', 'a class of the cluster'],
  ['*', '**.serviceAccountName **.serviceAccount', 'rights in the environment'],
  ['*', '**.imagePullSecrets', secret],
  ['*', '@.env[*]', secret, { when: { path: 'valueFrom.secretKeyRef' } }],
  ['*', '@.envFrom[*]', secret, { when: { path: 'secretRef' } }],
  ['*', '**.volumes[*]', secret, { when: { path: 'secret' }, ...isNeeded }],
  ['*', '**.volumes[*]', secret, { when: { path: 'projected.sources[*].secret' }, ...isNeeded }],
  ...sources.map((path): Row => ['*', '**.volumes[*]', storage, { when: { path }, ...isNeeded }]),
  ['*', '@.env[*]', 'its value looks like an address', { when: { path: 'value', matches: address } }],
  ['*', '@.env[*]', 'it is called like an address', { when: { path: 'name', matches: addressName } }],
  ['*', '@.env[*]', 'it is called like a place', { when: { path: 'name', matches: placeName } }],
  ['*', '@.env[*]', 'it is called like a secret', { when: { path: 'name', matches: secretName } }],
  ['*', '@.args[*] @.command[*]', 'it looks like an address', { when: { matches: address }, ...isNeeded }],
  ['*', '@.image', 'it comes from another registry', { differs: '^([^/]*[.:][^/]*)/' }],
  ['Service', 'spec.type spec.ports[*].nodePort spec.healthCheckNodePort', outside],
  ['Service', 'spec.externalTrafficPolicy spec.internalTrafficPolicy spec.loadBalancerSourceRanges', outside],
  ['Service', 'spec.clusterIP spec.clusterIPs spec.loadBalancerIP spec.externalIPs', 'an address'],
  ['Service', 'spec.ipFamilies spec.ipFamilyPolicy', 'how the network of the cluster is'],
  [policy, 'spec.egress[*].to[*].ipBlock spec.ingress[*].from[*].ipBlock', 'an address', isNeeded],
  ['RoleBinding.rbac.authorization.k8s.io', 'subjects', 'who has rights in the environment', isNeeded],
  ['ServiceAccount', 'metadata.annotations secrets', 'rights in the environment'],
  ['*', annotations, 'it is for a controller of the cluster', { name: cloud }],
  ['*', annotations, 'what was done, or is, in the environment', { name: '^checksum/|/restartedAt$' }],
  ['*', marks, 'a mark of the tool that deployed it', { name: tools }],
  ['*', marks, 'it is called like a place', { name: places }],
  ['*', 'metadata.ownerReferences metadata.finalizers', 'it belongs to the environment'],
]

/** What runs. */
const portable: readonly Row[] = [
  ['*', '@.image @.imagePullPolicy', 'the image'],
  ['*', '@.command @.args @.workingDir', 'what is run'],
  ['*', '@.resources', 'what it needs'],
  ['*', '@.env', 'a plain value'],
  ['*', '@.envFrom', 'a reference by a name that each environment has'],
  ['*', '@.livenessProbe @.readinessProbe @.startupProbe', 'a probe'],
  ['*', '@ **.volumes[*]', 'how it runs'],
  ['*', '**.template.metadata.labels', 'a label of the pods'],
  ['*', '**.template.metadata.annotations', 'an annotation of the pods'],
  ['*', '**.template.spec.terminationGracePeriodSeconds **.template.spec.securityContext', 'how it runs'],
  ['*', '**.template.spec.restartPolicy **.template.spec.shareProcessNamespace', 'how it runs'],
  ['*', '**.template.spec.enableServiceLinks **.template.spec.automountServiceAccountToken', 'how it runs'],
  ['*', 'spec.strategy spec.updateStrategy spec.minReadySeconds', 'how it is rolled out'],
  ['*', 'spec.revisionHistoryLimit spec.progressDeadlineSeconds', 'how it is rolled out'],
  ['*', 'spec.podManagementPolicy spec.backoffLimit spec.activeDeadlineSeconds', 'how it runs'],
  [cronJob, 'spec.jobTemplate.spec.backoffLimit spec.jobTemplate.spec.activeDeadlineSeconds', 'how it runs'],
  [cronJob, 'spec.schedule spec.timeZone spec.concurrencyPolicy', 'when it runs'],
  [cronJob, 'spec.successfulJobsHistoryLimit spec.failedJobsHistoryLimit', 'how it runs'],
  ['Service', 'spec.ports spec.selector spec.sessionAffinity', 'how it is reached inside'],
  [ingress, 'spec.rules spec.defaultBackend', 'which paths lead where'],
  [autoscaler, 'spec.metrics spec.behavior', 'when it is scaled'],
  ['Role.rbac.authorization.k8s.io', 'rules', 'what rights it is'],
  [policy, 'spec', 'who may reach whom'],
  ['*', 'metadata.labels["app.kubernetes.io/version"]', 'the version'],
]

function rulesOf(nature: FieldRule['nature'], rows: readonly Row[]): FieldRule[] {
  return rows.flatMap(([kind, paths, reason, { when, isNeeded = false, ...more } = {}]) =>
    paths
      .split(' ')
      .flatMap(eachContainer)
      .map((path) => ({
        ...{ nature, kind, path, reason, isNeeded, ...more },
        when: when === undefined ? [] : [{ path: '', ...when }],
      })),
  )
}

function eachContainer(path: string): string[] {
  return path.startsWith('@')
    ? ['containers', 'initContainers'].map((list) => path.replace('@', `**.${list}[*]`))
    : [path]
}

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
    ['*', '@.env[*]', reason, { when: { path: 'value', matches } }],
    ['*', '@.args[*] @.command[*]', reason, { when: { matches }, ...isNeeded }],
    ['ConfigMap', 'data.*', reason, { when: { matches } }],
  ])
}
