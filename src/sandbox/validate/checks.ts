import { isDeepStrictEqual } from 'node:util'
import type { Cause } from '../failure.ts'
import { at, isObject, type JsonObject, type KubeObject } from '../object.ts'
import { list, text } from '../values.ts'
import { duplicate, forbiddenField, invalidValue, notFoundValue, required, unsupported } from './causes.ts'
import { configKey, dnsLabel, labelValue, qualifiedName } from './names.ts'

/** A value, where it is, and what it was before an update (`undefined` on creation). */
interface Place {
  readonly path: string
  readonly value: unknown
  readonly former: unknown
  readonly isUpdate: boolean
}
type Check = (place: Place) => Cause[]
/** What is checked at a path; `containers[]` is each item of a list. Nothing is checked below what is not there. */
type Row = readonly [path: string, ...checks: Check[]]

const isMissing = (value: unknown) =>
  value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)

const needed =
  (why = ''): Check =>
  ({ path, value }) =>
    isMissing(value) ? [required(path, why)] : []

const named: Check = ({ path, value }) =>
  isMissing(value) ? [required(path)] : dnsLabel(text(value)).map((why) => invalidValue(path, value, why))

const oneOf =
  (...allowed: string[]): Check =>
  ({ path, value }) =>
    value === undefined || allowed.includes(text(value)) ? [] : [unsupported(path, value, allowed)]

const port: Check = ({ path, value }) => {
  if (typeof value !== 'number' || (value >= 1 && value <= 65_535)) return []
  return [invalidValue(path, value, 'must be between 1 and 65535, inclusive')]
}

const notNegative: Check = ({ path, value }) =>
  Number(value) < 0 ? [invalidValue(path, value, 'must be greater than or equal to 0')] : []

/** No two items of a list have the same name. */
const unique: Check = ({ path, value }) => {
  const names = list(value).map(({ name }) => text(name))
  const twice = names.flatMap((name, index) => (name !== '' && names.indexOf(name) < index ? [index] : []))
  return twice.map((index) => duplicate(`${path}[${index}].name`, names[index]))
}

const keys: Check = ({ path, value }) =>
  Object.keys(isObject(value) ? value : {}).flatMap((key) =>
    configKey(key).map((why) => invalidValue(`${path}[${key}]`, key, why)),
  )

const fixed =
  (why = 'field is immutable'): Check =>
  ({ path, value, former, isUpdate }) =>
    isUpdate && !isDeepStrictEqual(value, former) ? [invalidValue(path, value, why)] : []

export function checkLabels(path: string, labels: unknown): Cause[] {
  return Object.entries(isObject(labels) ? labels : {}).flatMap(([key, value]) => [
    ...qualifiedName(key).map((why) => invalidValue(path, key, why)),
    ...labelValue(text(value)).map((why) => invalidValue(path, value, why)),
  ])
}

const mounts: Check = ({ path, value: spec }) => {
  const volumes = list(at(spec, 'volumes')).map(({ name }) => name)
  return ['containers', 'initContainers'].flatMap((kind) =>
    list(at(spec, kind)).flatMap(({ volumeMounts }, index) =>
      list(volumeMounts).flatMap(({ name }, place) => {
        const field = `${path}.${kind}[${index}].volumeMounts[${place}].name`
        return volumes.includes(name) ? [] : [notFoundValue(field, text(name))]
      }),
    ),
  )
}

const protocol = oneOf('SCTP', 'TCP', 'UDP')
const container = (path: string): Row[] => [
  [path, unique],
  [`${path}[].name`, named],
  [`${path}[].image`, needed()],
  [`${path}[].ports[].containerPort`, port],
  [`${path}[].ports[].protocol`, protocol],
  [`${path}[].env[].name`, needed()],
  [`${path}[].imagePullPolicy`, oneOf('Always', 'IfNotPresent', 'Never')],
]
const podSpec = (path: string): Row[] => [
  [`${path}.volumes`, unique],
  [`${path}.volumes[].name`, named],
  [`${path}.containers`, needed()],
  ...container(`${path}.containers`),
  ...container(`${path}.initContainers`),
  [path, mounts],
  [`${path}.restartPolicy`, oneOf('Always', 'OnFailure', 'Never')],
]

const selected: Check = ({ path, value: spec }) => {
  const [selector, labels] = [at(spec, 'selector'), at(spec, 'template', 'metadata', 'labels')]
  if (isObject(selector) && selects(selector, isObject(labels) ? labels : {})) return []
  const why = '`selector` does not match template `labels`'
  return [invalidValue(`${path}.template.metadata.labels`, labels ?? null, why)]
}

function selects({ matchLabels, matchExpressions }: JsonObject, labels: JsonObject): boolean {
  const equal = Object.entries(isObject(matchLabels) ? matchLabels : {})
  const rules = list(matchExpressions)
  if (equal.length + rules.length === 0) return false
  return (
    equal.every(([key, value]) => labels[key] === value) &&
    rules.every(({ key, operator, values }) => {
      const value = labels[text(key)]
      if (operator === 'Exists' || operator === 'DoesNotExist')
        return (value !== undefined) === (operator === 'Exists')
      return (Array.isArray(values) && values.includes(value)) === (operator === 'In')
    })
  )
}

const workload: Row[] = [
  ['spec.replicas', notNegative],
  ['spec.selector', needed(), fixed()],
  ['spec', selected],
  ...podSpec('spec.template.spec'),
  ['spec.template.spec.restartPolicy', oneOf('Always')],
]

const ending: Check = ({ path, value }) =>
  value === 'OnFailure' || value === 'Never' ? [] : [required(path, 'valid values: "OnFailure", "Never"')]

const cronPod = 'spec.jobTemplate.spec.template.spec'
const mutable =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

/** A pod that is there is what it is, but for its images and few other things; it is bound to a node once. */
const fixedPod: Check = ({ path, value, former, isUpdate }) => {
  const free = ['activeDeadlineSeconds', 'tolerations', 'ephemeralContainers']
  if (at(former, 'nodeName') === undefined) free.push('nodeName')
  const rest = (spec: unknown) => {
    const imageless = (kind: string) => list(at(spec, kind)).map(({ image: _, ...container }) => container)
    const fields = Object.entries(isObject(spec) ? spec : {}).filter(([field]) => !free.includes(field))
    return {
      ...Object.fromEntries(fields),
      containers: imageless('containers'),
      initContainers: imageless('initContainers'),
    }
  }
  return isUpdate && !isDeepStrictEqual(rest(value), rest(former)) ? [forbiddenField(path, mutable)] : []
}

const servicePorts: Check = ({ path, value: spec }) => {
  const ports = list(at(spec, 'ports'))
  if (at(spec, 'type') === 'ExternalName') return []
  if (ports.length === 0) return at(spec, 'clusterIP') === 'None' ? [] : [required(`${path}.ports`)]
  const unnamed =
    ports.length > 1 ? ports.flatMap(({ name }, index) => (text(name) === '' ? [index] : [])) : []
  return unnamed.map((index) => required(`${path}.ports[${index}].name`))
}

const keptAddress: Check = (place) =>
  text(place.value) === '' || text(place.former) === '' ? [] : fixed('may not change once set')(place)

/**
 * What is checked by kind; other kinds are taken as their schema lets them be. Not checked are, among others: what the names of ports
 * and variables are made of, probes, schedules, claims' sizes, Ingresses, autoscalers and roles; nor that of a StatefulSet and a claim
 * most stays as it is.
 */
export const kindChecks: Readonly<Record<string, readonly Row[]>> = {
  Pod: [...podSpec('spec'), ['spec', fixedPod]],
  Deployment: [...workload, ['spec.strategy.type', oneOf('Recreate', 'RollingUpdate')]],
  ReplicaSet: workload,
  DaemonSet: workload,
  StatefulSet: workload,
  Job: [
    ...podSpec('spec.template.spec'),
    ['spec.template.spec.restartPolicy', ending],
    ['spec.selector', fixed()],
    ['spec.template', fixed()],
  ],
  CronJob: [['spec.schedule', needed()], ...podSpec(cronPod), [`${cronPod}.restartPolicy`, ending]],
  ConfigMap: ['data', 'binaryData'].map((field): Row => [field, keys]),
  Secret: [
    ['data', keys],
    ['type', fixed()],
  ],
  Service: [
    ['spec', servicePorts],
    ['spec.ports', unique],
    ['spec.ports[].port', port],
    ['spec.ports[].protocol', protocol],
    ['spec.ports[].targetPort', port],
    ['spec.type', oneOf('ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort')],
    ['spec.clusterIP', keptAddress],
  ],
  PersistentVolumeClaim: [['spec.accessModes', needed('at least 1 access mode is required')]],
  RoleBinding: [['roleRef', fixed('cannot change roleRef')]],
  ClusterRoleBinding: [['roleRef', fixed('cannot change roleRef')]],
}

/** What is wrong with an object by the rows of its kind. */
export function checkRows(rows: readonly Row[], object: KubeObject, previous?: KubeObject): Cause[] {
  return rows.flatMap(([path, ...checks]) =>
    placesOf(path.split('.'), object, previous).flatMap(({ path, value, former }) =>
      checks.flatMap((check) => check({ path, value, former, isUpdate: previous !== undefined })),
    ),
  )
}

type Found = Omit<Place, 'isUpdate'>

/** Items of lists have no former values, as nothing tells which was which. */
function placesOf(segments: readonly string[], object: unknown, previous: unknown): Found[] {
  let found: Found[] = [{ path: '', value: object, former: previous }]
  for (const segment of segments) {
    const name = segment.replace('[]', '')
    const fields = found.flatMap(({ path, value, former }) =>
      isObject(value)
        ? [{ path: path === '' ? name : `${path}.${name}`, value: value[name], former: at(former, name) }]
        : [],
    )
    const items = fields.flatMap(({ path, value }) =>
      list(value).map((item, index) => ({ path: `${path}[${index}]`, value: item, former: undefined })),
    )
    found = segment.endsWith('[]') ? items : fields
  }
  return found
}
