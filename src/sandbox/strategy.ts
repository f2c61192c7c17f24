import { isDeepStrictEqual } from 'node:util'
import type { Context } from './context.ts'
import { crdKey } from './crd.ts'
import { crdCauses, crdDefaults, refuseCrd } from './crd-checks.ts'
import { type Cause, forbidden, notImplemented } from './failure.ts'
import { refusePod } from './node/refuse.ts'
import { at, isObject, type JsonObject, type KubeObject } from './object.ts'
import { hasSubresource, type ResourceType } from './resource.ts'
import { allocated } from './service.ts'
import { forbiddenField } from './validate/causes.ts'
import { list, text, texts } from './values.ts'

/** What is special about the objects of one resource. What is not here is the same for all. */
interface Strategy {
  /** Throws 501 for what the sandbox does not do. */
  readonly refuse?: (object: KubeObject) => void
  /** Fills in what belongs to the writer, as defaults do. */
  readonly fill?: (object: KubeObject) => KubeObject
  /** Fills in what belongs to nobody. */
  readonly create?: (object: KubeObject, context: Context) => KubeObject
  readonly update?: (object: KubeObject, live: KubeObject, context: Context) => KubeObject
  readonly check?: (object: KubeObject, live?: KubeObject) => Cause[]
  /** A new object's status; `given` is left as it came. */
  readonly status?: 'given' | Readonly<Record<string, unknown>>
}

const daemonSets = {
  currentNumberScheduled: 0,
  numberMisscheduled: 0,
  desiredNumberScheduled: 0,
  numberReady: 0,
}

const strategies: Readonly<Record<string, Strategy>> = {
  namespaces: { fill: labelled, create: finalized, status: { phase: 'Active' } },
  nodes: { status: 'given' },
  pods: { create: admitted, refuse: refusePod, status: { phase: 'Pending' } },
  configmaps: { check: immutable },
  secrets: { fill: encoded, check: immutable },
  services: {
    create: allocated,
    update: (service, live, context) => allocated(service, context, live),
    status: { loadBalancer: {} },
  },
  persistentvolumeclaims: { status: { phase: 'Pending' } },
  'deployments.apps': { status: {} },
  'replicasets.apps': { status: { replicas: 0 } },
  'daemonsets.apps': {
    create: (daemonSet) => templateCounted(daemonSet),
    update: templateCounted,
    status: daemonSets,
  },
  'statefulsets.apps': { status: { replicas: 0, availableReplicas: 0 } },
  'jobs.batch': { create: selecting, status: {} },
  'cronjobs.batch': { status: {} },
  [crdKey]: { refuse: refuseCrd, fill: crdDefaults, check: crdCauses, create: versionStored },
}

const rbac = 'rbac.authorization.k8s.io'

/** Whose objects count the changes of what was asked for, beside custom ones. */
const counted = new Set([
  ...['pods', 'jobs.batch', 'cronjobs.batch', 'poddisruptionbudgets.policy', crdKey],
  ...['ingresses', 'networkpolicies'].map((plural) => `${plural}.networking.k8s.io`),
  ...['deployments', 'replicasets', 'daemonsets', 'statefulsets'].map((plural) => `${plural}.apps`),
])

/** What a PUT makes when it is not there. */
const madeByUpdate = new Set([
  ...['endpoints', 'events', 'limitranges', 'services', 'leases.coordination.k8s.io'],
  ...['roles', 'rolebindings'].flatMap((one) => [`${one}.${rbac}`, `cluster${one}.${rbac}`]),
])

export function isMadeByUpdate({ key }: ResourceType): boolean {
  return madeByUpdate.has(key)
}

/** Groups whose objects would tell the server to ask others. */
const unserved: Readonly<Record<string, string>> = {
  'admissionregistration.k8s.io': 'admission webhooks and policies',
  'apiregistration.k8s.io': 'aggregated API servers',
}

/** Throws 501 for what the sandbox does not do. */
export function refuse(type: ResourceType, object: KubeObject): void {
  const feature = unserved[type.info.group]
  if (feature !== undefined) throw notImplemented(feature)
  strategyOf(type).refuse?.(object)
}

export function strategyOf({ key }: ResourceType): Strategy {
  return strategies[key] ?? {}
}

/** Whether objects of a type carry a generation. */
export function countsGenerations({ key, custom }: ResourceType): boolean {
  return custom || counted.has(key)
}

/** A new object with the status that it starts with. */
export function withFirstStatus(type: ResourceType, object: KubeObject): KubeObject {
  const first = strategyOf(type).status
  if (first === 'given' || (first === undefined && !hasSubresource(type, 'status'))) return object
  const { status: _, ...rest } = object
  const qos = type.key === 'pods' ? { qosClass: qosOf(object) } : {}
  return { ...rest, ...(first === undefined ? {} : { status: { ...first, ...qos } }) } as KubeObject
}

function labelled(namespace: KubeObject): KubeObject {
  const { metadata } = namespace
  const labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name }
  return { ...namespace, metadata: { ...metadata, labels } }
}

function finalized(namespace: KubeObject): KubeObject {
  return { ...namespace, spec: { finalizers: ['kubernetes'] } }
}

function encoded(secret: KubeObject): KubeObject {
  const { stringData, ...rest } = secret
  if (!isObject(stringData)) return secret
  const entries = Object.entries(stringData).map(([key, value]) => [
    key,
    Buffer.from(text(value)).toString('base64'),
  ])
  const data = isObject(rest.data) ? rest.data : {}
  return { ...rest, data: { ...data, ...Object.fromEntries(entries) } } as KubeObject
}

function immutable(object: KubeObject, live?: KubeObject): Cause[] {
  if (live?.immutable !== true) return []
  const same = (field: string) => isDeepStrictEqual(object[field] ?? {}, live[field] ?? {})
  const changed = ['immutable', 'data', 'binaryData'].filter((field) => !same(field))
  return changed.map((field) => forbiddenField(field, 'field is immutable when `immutable` is set'))
}

const tolerations = ['not-ready', 'unreachable'].map((condition) => ({
  key: `node.kubernetes.io/${condition}`,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 300,
}))

/** What the admission plugins that are on by default put into a pod; no service account's token is mounted. */
function admitted(pod: KubeObject, { store }: Context): KubeObject {
  const spec = isObject(pod.spec) ? pod.spec : {}
  const account = text(spec.serviceAccountName) || 'default'
  const name = text(spec.priorityClassName)
  const priority = name === '' ? undefined : store.get('priorityclasses.scheduling.k8s.io', { name })
  if (name !== '' && priority === undefined) {
    throw forbidden(podNames, pod.metadata.name, `no PriorityClass with name ${name} was found`)
  }
  const given = list(spec.tolerations)
  const missing = tolerations.filter(
    ({ key }) => !given.some((one) => one.key === key || one.key === undefined),
  )
  return {
    ...pod,
    spec: {
      ...spec,
      serviceAccountName: account,
      serviceAccount: account,
      priority: priority?.value ?? 0,
      preemptionPolicy: priority?.preemptionPolicy ?? 'PreemptLowerPriority',
      tolerations: [...given, ...missing],
    },
  }
}

const podNames = { group: '', plural: 'pods' }

function qosOf(pod: KubeObject): string {
  const containers = [...list(at(pod, 'spec', 'containers')), ...list(at(pod, 'spec', 'initContainers'))]
  const asked = containers.flatMap(({ resources }) =>
    ['cpu', 'memory'].map(
      (name) => [at(resources, 'limits', name), at(resources, 'requests', name)] as const,
    ),
  )
  if (asked.every(([limit, request]) => limit !== undefined && limit === (request ?? limit)))
    return 'Guaranteed'
  return asked.some((both) => both.some((one) => one !== undefined)) ? 'Burstable' : 'BestEffort'
}

function templateCounted(daemonSet: KubeObject, live?: KubeObject): KubeObject {
  const name = 'deprecated.daemonset.template.generation'
  const before = Number(text(at(live, 'metadata', 'annotations', name)))
  const template = (of: unknown) => JSON.stringify(at(of, 'spec', 'template'))
  const next = template(daemonSet) === template(live) ? before : before + 1
  const annotations = { ...daemonSet.metadata.annotations, [name]: String(next) }
  return { ...daemonSet, metadata: { ...daemonSet.metadata, annotations } }
}

/** A Job's pods are known by its uid, unless it says itself how. */
function selecting(job: KubeObject): KubeObject {
  const spec = isObject(job.spec) ? job.spec : {}
  if (spec.manualSelector === true) return job
  const { name, uid } = job.metadata
  const labels = Object.fromEntries(
    ['', 'batch.kubernetes.io/'].flatMap((of) => [
      [`${of}job-name`, name],
      [`${of}controller-uid`, uid],
    ]),
  )
  const own = texts(at(spec, 'template', 'metadata', 'labels'))
  const template = {
    ...map(spec.template),
    metadata: { ...map(at(spec, 'template', 'metadata')), labels: { ...labels, ...own } },
  }
  const matchLabels = {
    'batch.kubernetes.io/controller-uid': uid,
    ...texts(at(spec, 'selector', 'matchLabels')),
  }
  return { ...job, spec: { ...spec, selector: { ...map(spec.selector), matchLabels }, template } }
}

const map = (value: unknown): JsonObject => (isObject(value) ? value : {})

function versionStored(crd: KubeObject): KubeObject {
  const storage = list(at(crd, 'spec', 'versions')).find(({ storage }) => storage === true)
  const acceptedNames = { plural: '', kind: '' }
  return { ...crd, status: { conditions: null, acceptedNames, storedVersions: [text(storage?.name)] } }
}
