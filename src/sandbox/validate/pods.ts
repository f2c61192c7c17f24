import { isDeepStrictEqual } from 'node:util'
import type { Cause } from '../failure.ts'
import { at, isObject, type JsonObject, type KubeObject } from '../object.ts'
import { duplicate, forbiddenField, invalidValue, notFoundValue, required, unsupported } from './causes.ts'
import { dnsLabel, envName, portName, portNumber } from './names.ts'

/** The objects of a list, as far as it is one. */
export const items = (list: unknown): JsonObject[] => (Array.isArray(list) ? list.filter(isObject) : [])

export const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** What is wrong with a field that has to be one of some. */
export function oneOf(path: string, value: unknown, allowed: readonly string[]): Cause[] {
  return value === undefined || allowed.includes(text(value)) ? [] : [unsupported(path, value, allowed)]
}

const protocols = ['SCTP', 'TCP', 'UDP']
const pullPolicies = ['Always', 'IfNotPresent', 'Never']
const restartPolicies = ['Always', 'OnFailure', 'Never']
const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']

/** What is wrong with a pod, or with one to be made from a template. */
export function checkPodSpec(path: string, given: unknown): Cause[] {
  const spec = isObject(given) ? given : {}
  const volumes = items(spec.volumes)
  const containers = items(spec.containers)
  const check = (name: string) => checkContainers(`${path}.${name}`, items(spec[name]), volumes)
  return [
    ...checkVolumes(`${path}.volumes`, volumes),
    ...(containers.length === 0 ? [required(`${path}.containers`)] : check('containers')),
    ...check('initContainers'),
    ...oneOf(`${path}.restartPolicy`, spec.restartPolicy, restartPolicies),
    ...oneOf(`${path}.dnsPolicy`, spec.dnsPolicy, dnsPolicies),
  ]
}

function checkVolumes(path: string, volumes: JsonObject[]): Cause[] {
  return volumes.flatMap((volume, index) => {
    const here = `${path}[${index}]`
    const [, ...surplus] = Object.keys(volume).filter((key) => key !== 'name')
    const once = 'may not specify more than 1 volume type'
    return [
      ...surplus.map((kind) => forbiddenField(`${here}.${kind}`, once)),
      ...checkName(`${here}.name`, volume.name),
      ...checkUnique(`${here}.name`, { items: volumes, key: 'name', index }),
    ]
  })
}

function checkName(path: string, name: unknown): Cause[] {
  if (text(name) === '') return [required(path)]
  return dnsLabel(text(name)).map((why) => invalidValue(path, name, why))
}

interface Among {
  readonly items: readonly JsonObject[]
  readonly key: string
  readonly index: number
}

/** Whether an item before this one has the same name. */
export function checkUnique(path: string, { items: all, key, index }: Among): Cause[] {
  const value = text(all[index]?.[key])
  const isTwice = value !== '' && all.findIndex((item) => item[key] === value) < index
  return isTwice ? [duplicate(path, value)] : []
}

function checkContainers(path: string, containers: JsonObject[], volumes: JsonObject[]): Cause[] {
  return containers.flatMap((container, index) => {
    const here = `${path}[${index}]`
    const { name, image, imagePullPolicy, ports, env, volumeMounts } = container
    return [
      ...checkName(`${here}.name`, name),
      ...checkUnique(`${here}.name`, { items: containers, key: 'name', index }),
      ...checkImage(`${here}.image`, text(image)),
      ...items(ports).flatMap((port, place) => checkPort(`${here}.ports[${place}]`, port)),
      ...items(env).flatMap((variable, place) => checkVariable(`${here}.env[${place}]`, variable)),
      ...items(volumeMounts).flatMap((mount, place) =>
        checkMount(`${here}.volumeMounts[${place}]`, mount, volumes),
      ),
      ...oneOf(`${here}.imagePullPolicy`, imagePullPolicy, pullPolicies),
    ]
  })
}

function checkImage(path: string, image: string): Cause[] {
  if (image === '') return [required(path)]
  return image === image.trim()
    ? []
    : [invalidValue(path, image, 'must not have leading or trailing whitespace')]
}

function checkPort(path: string, { name, containerPort, protocol }: JsonObject): Cause[] {
  const port = Number(containerPort ?? 0)
  const number = port === 0 ? [required(`${path}.containerPort`)] : []
  return [
    ...(text(name) === '' ? [] : portName(text(name)).map((why) => invalidValue(`${path}.name`, name, why))),
    ...number,
    ...(port === 0 ? [] : portNumber(port).map((why) => invalidValue(`${path}.containerPort`, port, why))),
    ...oneOf(`${path}.protocol`, protocol, protocols),
  ]
}

function checkVariable(path: string, { name, value, valueFrom }: JsonObject): Cause[] {
  const ofName = text(name) === '' ? [required(`${path}.name`)] : []
  const bad =
    text(name) === '' ? [] : envName(text(name)).map((why) => invalidValue(`${path}.name`, name, why))
  const sources = Object.keys(isObject(valueFrom) ? valueFrom : {})
  const either =
    'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'
  const why =
    sources.length === 0 ? either : text(value) === '' ? '' : 'may not be specified when `value` is not empty'
  return [
    ...ofName,
    ...bad,
    ...(valueFrom === undefined || why === '' ? [] : [invalidValue(`${path}.valueFrom`, '', why)]),
  ]
}

function checkMount(path: string, { name, mountPath }: JsonObject, volumes: JsonObject[]): Cause[] {
  const isKnown = volumes.some((volume) => volume.name === name)
  return [
    ...(text(name) === '' ? [required(`${path}.name`)] : []),
    ...(isKnown ? [] : [notFoundValue(`${path}.name`, text(name))]),
    ...(text(mountPath) === '' ? [required(`${path}.mountPath`)] : []),
  ]
}

const mutable =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

/** A pod that is there is what it is, but for its images and few other things. */
export function checkPodUpdate(pod: KubeObject, previous: KubeObject): Cause[] {
  const fixed = (object: KubeObject) => {
    const spec = isObject(object.spec) ? object.spec : {}
    const {
      activeDeadlineSeconds: _,
      tolerations: __,
      ephemeralContainers: ___,
      nodeName: ____,
      ...rest
    } = spec
    const plain = (list: unknown) => items(list).map(({ image: _____, ...container }) => container)
    return { ...rest, containers: plain(spec.containers), initContainers: plain(spec.initContainers) }
  }
  const bound = at(previous, 'spec', 'nodeName')
  const isMoved = bound !== undefined && bound !== at(pod, 'spec', 'nodeName')
  if (!isMoved && isDeepStrictEqual(fixed(pod), fixed(previous))) return []
  return [forbiddenField('spec', mutable)]
}
