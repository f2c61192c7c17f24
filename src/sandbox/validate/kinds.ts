import { isDeepStrictEqual } from 'node:util'
import type { Cause } from '../failure.ts'
import { at, isObject, type JsonObject, type KubeObject } from '../object.ts'
import { duplicate, forbiddenField, invalidValue, required } from './causes.ts'
import { fixedRoot, type KindCheck } from './fixed.ts'
import { configKey, dnsLabel, portName, portNumber } from './names.ts'
import { checkUnique, items, oneOf, text } from './pods.ts'
import { workloadChecks } from './workloads.ts'

/** What the strategies of Kubernetes' API groups check; other kinds are taken as their schema lets them be. */
export const kindChecks: Readonly<Record<string, readonly KindCheck[]>> = {
  ...workloadChecks,
  ConfigMap: [keys('data'), keys('binaryData')],
  Secret: [keys('data'), fixedRoot('type'), tls],
  Service: [service],
  PersistentVolumeClaim: [claim, claimUpdate],
  Ingress: [ingress],
  HorizontalPodAutoscaler: [autoscaler],
  RoleBinding: [binding, fixedRoot('roleRef', 'cannot change roleRef')],
  ClusterRoleBinding: [binding, fixedRoot('roleRef', 'cannot change roleRef')],
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
