import * as v from 'valibot'
import { type Rule, type RuleInput, ruleSchema } from '../sanitize/rule.ts'
import { matchesOf } from '../sanitize/sanitize.ts'
import type { JsonMap } from '../value.ts'
import { type Keeper, keeperReasons as reasons } from './keepers.ts'

type Row = readonly [keeper: Keeper, kind: string, path: string, when?: RuleInput['when']]

const rbac = ['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'].map(
  (kind) => `${kind}.rbac.authorization.k8s.io`,
)
const generated = '^kubernetes\\.io/service-account-token$|^bootstrap\\.kubernetes\\.io/token$'
/** Whoever only binds a claim does not write what it asks for. */
const claimed = { path: 'fieldsV1["f:spec"]["f:resources"]' }
const control = { path: 'manager', matches: '^kube-(?:controller-manager|apiserver)$' }
/** Kinds of which nobody keeps anything: they are not even listed. */
const records: readonly (readonly [Keeper, string])[] = [
  [
    'controllers',
    'ControllerRevision.apps VolumeAttachment.storage.k8s.io CSIStorageCapacity.storage.k8s.io',
  ],
  [
    'cluster',
    'Event Event.events.k8s.io Lease.coordination.k8s.io Node CSINode.storage.k8s.io ComponentStatus',
  ],
  ['cluster', 'CertificateSigningRequest.certificates.k8s.io IPAddress.networking.k8s.io'],
  [
    'cluster',
    'StorageVersion.internal.apiserver.k8s.io PodMetrics.metrics.k8s.io NodeMetrics.metrics.k8s.io',
  ],
]

const rows: readonly Row[] = [
  ['controllers', '*', 'metadata.ownerReferences[*].controller', [{ equals: true }]],
  ['controllers', 'Endpoints', 'metadata.managedFields[*]', [control]],
  ['controllers', 'EndpointSlice.discovery.k8s.io', 'metadata.managedFields[*]', [control]],
  ['controllers', 'PersistentVolumeClaim', 'metadata.managedFields[*]', [control, claimed]],
  ['controllers', 'PersistentVolume', 'metadata.annotations["pv.kubernetes.io/provisioned-by"]'],
  ['controllers', 'Pod', 'metadata.annotations["kubernetes.io/config.mirror"]'],
  ['helm', '*', 'metadata.annotations["meta.helm.sh/release-name"]'],
  ['helm', 'Secret', 'type', [{ equals: 'helm.sh/release.v1' }]],
  ['cluster', '*', 'metadata.deletionTimestamp'],
  ['cluster', '*', 'metadata.annotations["apf.kubernetes.io/autoupdate-spec"]'],
  ['cluster', '*', 'metadata.managedFields[*].manager', [{ matches: '^api-priority-and-fairness-' }]],
  ['cluster', 'ConfigMap', 'metadata.name', [{ equals: 'kube-root-ca.crt' }]],
  ['cluster', 'ServiceAccount', 'metadata.name', [{ equals: 'default' }]],
  ['cluster', 'Secret', 'type', [{ matches: generated }]],
  ['cluster', 'Service', 'metadata.labels.provider', [{ equals: 'kubernetes' }]],
  ['cluster', 'Namespace', 'metadata.name', [{ matches: '^default$|^kube-(?:system|public|node-lease)$' }]],
  ['cluster', 'PriorityClass.scheduling.k8s.io', 'metadata.name', [{ matches: '^system-' }]],
  [
    'cluster',
    'APIService.apiregistration.k8s.io',
    'metadata.labels["kube-aggregator.kubernetes.io/automanaged"]',
  ],
  ...rbac.flatMap((kind): Row[] => [
    ['cluster', kind, 'metadata.name', [{ matches: '^system:' }]],
    ['cluster', kind, 'metadata.labels["kubernetes.io/bootstrapping"]'],
  ]),
  ['system', '*', 'metadata.namespace', [{ matches: '^kube-(?:system|public|node-lease)$' }]],
]

const rules: readonly (readonly [Keeper, Rule])[] = rows.map(([keeper, kind, path, when]) => [
  keeper,
  v.parse(ruleSchema, { kind, path, when: when ?? [], reason: reasons[keeper] }),
])

/** Who looks after an object, so that nobody keeps it in a file; undefined where a person does. */
export function keeperOf(object: JsonMap, included: ReadonlySet<Keeper>): Keeper | undefined {
  return rules.find(([keeper, rule]) => !included.has(keeper) && matchesOf(object, rule).length > 0)?.[0]
}

/** The same of a whole kind, `Event.events.k8s.io`. */
export function keeperOfKind(kind: string, included: ReadonlySet<Keeper>): Keeper | undefined {
  return records.find(([keeper, kinds]) => !included.has(keeper) && kinds.split(' ').includes(kind))?.[0]
}

/** Why nobody keeps them in files, and how to have them all the same. */
export function reasonOf(keeper: Keeper): string {
  return `${reasons[keeper]} (--include ${keeper})`
}
