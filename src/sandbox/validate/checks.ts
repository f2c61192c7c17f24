import { isDeepStrictEqual } from 'node:util'
import { at, isObject, type JsonObject } from '../object.ts'
import { list, text } from '../values.ts'
import { forbiddenField, invalidValue, notFoundValue, required } from './causes.ts'
import { ephemeral } from './ephemeral.ts'
import {
  type Check,
  checkLabels,
  fixed,
  keys,
  named,
  needed,
  notNegative,
  oneOf,
  port,
  type Row,
  unique,
} from './rows.ts'

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

const containerPort: Check = (place) => (place.value ? port(place) : [required(place.path)])

const protocol = oneOf('SCTP', 'TCP', 'UDP')
const container = (path: string): Row[] => [
  [path, unique],
  [`${path}[].name`, named],
  [`${path}[].image`, needed()],
  [`${path}[].ports[].containerPort`, containerPort],
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

/** The server tells of a template's labels by another path than theirs. */
const templateLabels: Check = ({ value }) => checkLabels('spec.template.labels', value)

const workload: Row[] = [
  ['spec.replicas', notNegative],
  ['spec.selector', needed()],
  ['spec', selected],
  ['spec.template.metadata.labels', templateLabels],
  ...podSpec('spec.template.spec'),
  ['spec.template.spec.restartPolicy', oneOf('Always')],
]

const ending: Check = ({ path, value }) =>
  value === 'OnFailure' || value === 'Never' ? [] : [required(path, 'valid values: "OnFailure", "Never"')]

const cronPod = 'spec.jobTemplate.spec.template.spec'
/** What a server says of a change to a pod that is there. */
export const podMutable =
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
  return isUpdate && !isDeepStrictEqual(rest(value), rest(former)) ? [forbiddenField(path, podMutable)] : []
}

/** A spec that is there is what it is, but for some fields. */
const fixedBut =
  (free: readonly string[], why: string): Check =>
  ({ path, value, former, isUpdate }) => {
    const rest = (spec: unknown) =>
      Object.fromEntries(
        Object.entries(isObject(spec) ? spec : {}).filter(([field]) => !free.includes(field)),
      )
    return isUpdate && !isDeepStrictEqual(rest(value), rest(former)) ? [forbiddenField(path, why)] : []
  }

const fixedStatefulSet = fixedBut(
  [
    'replicas',
    'ordinals',
    'template',
    'updateStrategy',
    'revisionHistoryLimit',
    'persistentVolumeClaimRetentionPolicy',
    'minReadySeconds',
  ],
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
)
const fixedClaim = fixedBut(
  ['volumeName'],
  'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
)

const addedLater: Check = ({ path, value, isUpdate }) =>
  isUpdate || list(value).length === 0 ? [] : [forbiddenField(path, 'cannot be set on create')]

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
 * and variables are made of, probes, schedules, claims' sizes, Ingresses, autoscalers and roles.
 */
export const kindChecks: Readonly<Record<string, readonly Row[]>> = {
  Pod: [
    ...podSpec('spec'),
    ['spec', fixedPod, ephemeral],
    ...container('spec.ephemeralContainers'),
    ['spec.ephemeralContainers', addedLater],
  ],
  Deployment: [
    ...workload,
    ['spec.selector', fixed()],
    ['spec.strategy.type', oneOf('Recreate', 'RollingUpdate')],
  ],
  ReplicaSet: [...workload, ['spec.selector', fixed()]],
  DaemonSet: [...workload, ['spec.selector', fixed()]],
  StatefulSet: [...workload, ['spec', fixedStatefulSet]],
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
  PersistentVolumeClaim: [
    ['spec.accessModes', needed('at least 1 access mode is required')],
    ['spec', fixedClaim],
  ],
  RoleBinding: [['roleRef', fixed('cannot change roleRef')]],
  ClusterRoleBinding: [['roleRef', fixed('cannot change roleRef')]],
}
