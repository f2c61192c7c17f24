import { isDeepStrictEqual } from 'node:util'
import type { Cause } from '../failure.ts'
import { at, isObject, type JsonObject, type KubeObject } from '../object.ts'
import { duplicate, forbiddenField, invalidValue, required, unsupported } from './causes.ts'
import { checkLabels } from './metadata.ts'
import { configKey, dnsLabel, portName, portNumber } from './names.ts'
import { checkPodSpec, checkPodUpdate, checkUnique, items, oneOf, text } from './pods.ts'

/** What is wrong with a kind's own fields, and with how they changed. */
type KindCheck = (object: KubeObject, previous: KubeObject | undefined) => Cause[]

/** What the strategies of Kubernetes' API groups check; other kinds are taken as their schema lets them be. */
export const kindChecks: Readonly<Record<string, readonly KindCheck[]>> = {
  Pod: [
    (pod) => checkPodSpec('spec', pod.spec),
    (pod, previous) => (previous === undefined ? [] : checkPodUpdate(pod, previous)),
  ],
  Deployment: [
    nonNegative('replicas'),
    template,
    alwaysRestarts,
    strategy,
    nonNegative('minReadySeconds'),
    fixed('selector'),
  ],
  ReplicaSet: [nonNegative('replicas'), template, alwaysRestarts, fixed('selector')],
  DaemonSet: [template, alwaysRestarts, fixed('selector')],
  StatefulSet: [nonNegative('replicas'), template, alwaysRestarts, statefulSetUpdate],
  Job: [
    (job) => checkPodSpec('spec.template.spec', at(job, 'spec', 'template', 'spec')),
    (job) => endingRestarts('spec.template.spec', job),
    fixed('completionMode'),
    fixed('selector'),
    fixed('template'),
  ],
  CronJob: [
    (job) => (text(at(job, 'spec', 'schedule')) === '' ? [required('spec.schedule')] : checkSchedule(job)),
    (job) => checkPodSpec(cronTemplate, at(job, ...cronTemplate.split('.'))),
    (job) => endingRestarts(cronTemplate, job),
  ],
  ConfigMap: [keys('data'), keys('binaryData')],
  Secret: [keys('data'), fixedRoot('type'), tls],
  Service: [service],
  PersistentVolumeClaim: [claim, claimUpdate],
  Ingress: [ingress],
  HorizontalPodAutoscaler: [autoscaler],
  RoleBinding: [binding, fixedRoot('roleRef', 'cannot change roleRef')],
  ClusterRoleBinding: [binding, fixedRoot('roleRef', 'cannot change roleRef')],
}

const cronTemplate = 'spec.jobTemplate.spec.template.spec'

function nonNegative(field: string): KindCheck {
  return (object) => {
    const value = Number(at(object, 'spec', field) ?? 0)
    return value < 0 ? [invalidValue(`spec.${field}`, value, 'must be greater than or equal to 0')] : []
  }
}

function fixed(field: string): KindCheck {
  return (object, previous) =>
    unchanged(`spec.${field}`, at(object, 'spec', field), previous && [at(previous, 'spec', field)])
}

function fixedRoot(field: string, why?: string): KindCheck {
  return (object, previous) => unchanged(field, object[field], previous && [previous[field]], why)
}

function unchanged(
  path: string,
  value: unknown,
  former: unknown[] | undefined,
  why = 'field is immutable',
): Cause[] {
  return former === undefined || isDeepStrictEqual(value, former[0]) ? [] : [invalidValue(path, value, why)]
}

function template({ kind, spec }: KubeObject): Cause[] {
  const selector = at(spec, 'selector')
  const labels = at(spec, 'template', 'metadata', 'labels')
  const isEmpty = isObject(selector) && Object.keys(selector).length === 0
  const empty = invalidValue('spec.selector', {}, `empty selector is invalid for ${kind.toLowerCase()}`)
  const mismatch = invalidValue(
    'spec.template.metadata.labels',
    labels ?? null,
    '`selector` does not match template `labels`',
  )
  return [
    ...(selector === undefined ? [required('spec.selector')] : []),
    ...(isEmpty ? [empty] : []),
    ...(isEmpty || (isObject(selector) && selects(selector, isObject(labels) ? labels : {}))
      ? []
      : [mismatch]),
    ...checkLabels('spec.template.labels', labels),
    ...checkPodSpec('spec.template.spec', at(spec, 'template', 'spec')),
  ]
}

function selects({ matchLabels, matchExpressions }: JsonObject, labels: JsonObject): boolean {
  const areEqual = Object.entries(isObject(matchLabels) ? matchLabels : {}).every(
    ([key, value]) => labels[key] === value,
  )
  return (
    areEqual &&
    items(matchExpressions).every(({ key, operator, values }) => {
      const value = labels[text(key)]
      const isListed = Array.isArray(values) && values.includes(value)
      if (operator === 'Exists') return value !== undefined
      if (operator === 'DoesNotExist') return value === undefined
      return operator === 'In' ? isListed : !isListed
    })
  )
}

function alwaysRestarts(object: KubeObject): Cause[] {
  const path = 'spec.template.spec.restartPolicy'
  return oneOf(path, at(object, ...path.split('.')), ['Always'])
}

function endingRestarts(path: string, object: KubeObject): Cause[] {
  const policy = at(object, ...path.split('.'), 'restartPolicy')
  const isEnding = policy === 'OnFailure' || policy === 'Never'
  return isEnding ? [] : [required(`${path}.restartPolicy`, 'valid values: "OnFailure", "Never"')]
}

function strategy({ spec }: KubeObject): Cause[] {
  const type = at(spec, 'strategy', 'type')
  const rolling = at(spec, 'strategy', 'rollingUpdate')
  const why = "may not be specified when strategy `type` is 'Recreate'"
  if (type === 'Recreate' && rolling !== undefined)
    return [forbiddenField('spec.strategy.rollingUpdate', why)]
  if (type === 'Recreate' || type === 'RollingUpdate') return []
  return [
    unsupported('spec.strategy', { Type: type, RollingUpdate: rolling ?? null }, [
      'Recreate',
      'RollingUpdate',
    ]),
  ]
}

const mutableOfStatefulSet = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
]

function statefulSetUpdate(object: KubeObject, previous: KubeObject | undefined): Cause[] {
  const rest = ({ spec }: KubeObject) =>
    Object.entries(isObject(spec) ? spec : {}).filter(([field]) => !mutableOfStatefulSet.includes(field))
  if (previous === undefined || isDeepStrictEqual(new Map(rest(object)), new Map(rest(previous)))) return []
  const quoted = mutableOfStatefulSet.map((field) => `'${field}'`)
  const fields = `${quoted.slice(0, -1).join(', ')} and ${quoted.at(-1)}`
  return [forbiddenField('spec', `updates to statefulset spec for fields other than ${fields} are forbidden`)]
}

function checkSchedule(job: KubeObject): Cause[] {
  const schedule = text(at(job, 'spec', 'schedule'))
  const fields = schedule.trim().split(/\s+/)
  if (schedule.startsWith('@') || fields.length === 5) return []
  const why = `expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`
  return [invalidValue('spec.schedule', schedule, why)]
}

function keys(field: string): KindCheck {
  return (object) =>
    Object.keys(isObject(object[field]) ? object[field] : {}).flatMap((key) =>
      configKey(key).map((why) => invalidValue(`${field}[${key}]`, key, why)),
    )
}

function tls({ type, data }: KubeObject): Cause[] {
  if (type !== 'kubernetes.io/tls') return []
  return ['tls.crt', 'tls.key']
    .filter((key) => at(data, key) === undefined)
    .map((key) => required(`data[${key}]`))
}

function service({ spec }: KubeObject, previous: KubeObject | undefined): Cause[] {
  const type = at(spec, 'type')
  const ports = items(at(spec, 'ports'))
  const needsPorts = type !== 'ExternalName' && at(spec, 'clusterIP') !== 'None' && ports.length === 0
  const lacksName = type === 'ExternalName' && text(at(spec, 'externalName')) === ''
  return [
    ...(needsPorts ? [required('spec.ports')] : []),
    ...ports.flatMap((_, index) => checkServicePort(ports, index)),
    ...oneOf('spec.sessionAffinity', at(spec, 'sessionAffinity'), ['ClientIP', 'None']),
    ...(lacksName ? [required('spec.externalName')] : []),
    ...oneOf('spec.type', type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']),
    ...clusterIpUpdate(spec, previous),
  ]
}

function clusterIpUpdate(spec: unknown, previous: KubeObject | undefined): Cause[] {
  const former = text(at(previous, 'spec', 'clusterIP'))
  const isKept = former === '' || [at(spec, 'type'), at(previous, 'spec', 'type')].includes('ExternalName')
  const [ips, formerIps] = [at(spec, 'clusterIPs'), at(previous, 'spec', 'clusterIPs')]
  if (isKept || at(spec, 'clusterIP') === former) return []
  const why = 'may not change once set'
  return [
    invalidValue(
      'spec.clusterIPs[0]',
      isDeepStrictEqual(ips, formerIps) ? ips : [at(spec, 'clusterIP')],
      why,
    ),
  ]
}

function checkServicePort(ports: JsonObject[], index: number): Cause[] {
  const path = `spec.ports[${index}]`
  const { name, port, protocol, targetPort } = ports[index] ?? {}
  const told = (field: string, value: unknown, problems: string[]) =>
    problems.map((why) => invalidValue(`${path}.${field}`, value, why))
  const same = ports.findIndex((other) => other.port === port && other.protocol === protocol)
  return [
    ...(text(name) === '' && ports.length > 1 ? [required(`${path}.name`)] : []),
    ...(text(name) === '' ? [] : told('name', name, dnsLabel(text(name)))),
    ...checkUnique(`${path}.name`, { items: ports, key: 'name', index }),
    ...told('port', port, portNumber(Number(port))),
    ...oneOf(`${path}.protocol`, protocol, ['SCTP', 'TCP', 'UDP']),
    ...told('targetPort', targetPort, checkTarget(targetPort)),
    ...(same < index ? [duplicate(path, internalPort({ port, protocol }))] : []),
  ]
}

const checkTarget = (port: unknown): string[] =>
  typeof port === 'number' ? portNumber(port) : portName(text(port))

/** A port as it stands in the server's memory, which is what its message shows. */
const internalPort = ({ port, protocol }: JsonObject): JsonObject => ({
  Name: '',
  Protocol: protocol,
  AppProtocol: null,
  Port: port,
  TargetPort: 0,
  NodePort: 0,
})

function claim({ spec }: KubeObject): Cause[] {
  const modes = at(spec, 'accessModes')
  return [
    ...(Array.isArray(modes) && modes.length > 0
      ? []
      : [required('spec.accessModes', 'at least 1 access mode is required')]),
    ...(at(spec, 'resources', 'requests', 'storage') === undefined
      ? [required('spec.resources[storage]')]
      : []),
  ]
}

function claimUpdate(object: KubeObject, previous: KubeObject | undefined): Cause[] {
  const rest = ({ spec }: KubeObject) => {
    const {
      resources: _,
      volumeName: __,
      volumeAttributesClassName: ___,
      ...fields
    } = isObject(spec) ? spec : {}
    return fields
  }
  if (previous === undefined || isDeepStrictEqual(rest(object), rest(previous))) return []
  const why =
    'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'
  return [forbiddenField('spec', why)]
}

function ingress({ spec }: KubeObject): Cause[] {
  const rules = items(at(spec, 'rules'))
  if (rules.length === 0 && at(spec, 'defaultBackend') === undefined) {
    return [invalidValue('spec', null, 'either `defaultBackend` or `rules` must be specified')]
  }
  return rules.flatMap((rule, index) =>
    items(at(rule, 'http', 'paths')).flatMap(({ pathType }, place) => {
      const path = `spec.rules[${index}].http.paths[${place}].pathType`
      if (pathType === undefined) return [required(path, 'pathType must be specified')]
      return oneOf(path, pathType, ['Exact', 'ImplementationSpecific', 'Prefix'])
    }),
  )
}

function autoscaler({ spec }: KubeObject): Cause[] {
  const [max, min] = [Number(at(spec, 'maxReplicas') ?? 0), Number(at(spec, 'minReplicas') ?? 1)]
  const missing = ['kind', 'name'].filter((field) => text(at(spec, 'scaleTargetRef', field)) === '')
  const why = 'must be greater than or equal to `minReplicas`'
  return [
    ...(max < 1 ? [required('spec.maxReplicas', 'must be set and greater than 0')] : []),
    ...(max < min ? [invalidValue('spec.maxReplicas', max, why)] : []),
    ...missing.map((field) => required(`spec.scaleTargetRef.${field}`)),
    ...(text(at(spec, 'scaleTargetRef', 'apiVersion')) === ''
      ? [invalidValue('spec.scaleTargetRef.apiVersion', '', 'apiVersion must specify API group')]
      : []),
  ]
}

function binding({ roleRef, subjects }: KubeObject): Cause[] {
  return [
    ...oneOf('roleRef.kind', at(roleRef, 'kind') ?? '', ['Role', 'ClusterRole']),
    ...(text(at(roleRef, 'name')) === '' ? [required('roleRef.name')] : []),
    ...items(subjects).flatMap(({ name, kind }, index) => [
      ...(text(name) === '' ? [required(`subjects[${index}].name`)] : []),
      ...oneOf(`subjects[${index}].kind`, kind ?? '', ['ServiceAccount', 'User', 'Group']),
    ]),
  ]
}
