import type { V1Container, V1PodSpec, V1Volume } from '@kubernetes/client-node'
import { notImplemented } from '../failure.ts'
import type { KubeObject } from '../object.ts'
import { type Container, containersOf, podOf } from './pod-spec.ts'

/**
 * Refuses with 501 what a pod asks of its node and the sandbox's nodes do not do. It is for the API to call when a pod is
 * created and when its ephemeral containers change: later nobody could be told.
 */
export function refusePod(object: KubeObject): void {
  const pod = podOf(object)
  for (const [feature, asked] of ofPods) if (asked(pod.spec)) throw notImplemented(feature)
  for (const container of containersOf(pod)) {
    for (const [feature, asked] of ofContainers) {
      if (asked(container)) throw notImplemented(`${feature} (container ${container.name})`)
    }
  }
  for (const volume of pod.spec.volumes ?? []) refuseVolume(volume)
}

type Table<T> = readonly (readonly [feature: string, asked: (value: T) => boolean])[]

const ofPods: Table<V1PodSpec> = [
  ['activeDeadlineSeconds', ({ activeDeadlineSeconds }) => activeDeadlineSeconds !== undefined],
  ['readinessGates', ({ readinessGates = [] }) => readinessGates.length > 0],
  ['init containers that go on running', ({ initContainers = [] }) => initContainers.some(restarts)],
  ['an emptyDir volume that is mounted more than once', isShared],
  [
    'volumes in ephemeral containers',
    ({ ephemeralContainers = [] }) =>
      ephemeralContainers.some(({ volumeMounts = [] }) => volumeMounts.length > 0),
  ],
]

const ofContainers: Table<Container> = [
  ['a terminal (tty)', ({ tty }) => tty === true],
  [
    'subPath',
    ({ volumeMounts = [] }) => volumeMounts.some(({ subPath, subPathExpr }) => subPath || subPathExpr),
  ],
  ['volumeDevices', ({ volumeDevices = [] }) => volumeDevices.length > 0],
  ['restartPolicyRules', ({ restartPolicyRules = [] }) => restartPolicyRules.length > 0],
  ['lifecycle hooks over HTTP or TCP', hooksOverNetwork],
  ['probes over gRPC', (container) => probesOf(container).some((probe) => probe?.grpc !== undefined)],
  [
    'environment variables from resources or files',
    ({ env = [] }) => env.some(({ valueFrom }) => valueFrom?.resourceFieldRef || valueFrom?.fileKeyRef),
  ],
]

const volumeTypes = new Set(['emptyDir', 'configMap', 'secret', 'downwardAPI', 'projected'])
const sourceTypes = new Set(['configMap', 'secret', 'downwardAPI'])

function refuseVolume(volume: V1Volume): void {
  const types = Object.keys(volume).filter((key) => key !== 'name')
  const other = types.find((type) => !volumeTypes.has(type))
  if (other !== undefined) throw notImplemented(`volumes of type ${other} (${volume.name})`)
  const sources = volume.projected?.sources ?? []
  const source = sources.flatMap((each) => Object.keys(each)).find((type) => !sourceTypes.has(type))
  if (source !== undefined) throw notImplemented(`projected volumes with a ${source} (${volume.name})`)
  const items = [volume.downwardAPI, ...sources.map(({ downwardAPI }) => downwardAPI)]
  if (items.some((each) => each?.items?.some(({ resourceFieldRef }) => resourceFieldRef !== undefined))) {
    throw notImplemented(`files from resources (volume ${volume.name})`)
  }
}

function isShared({ containers, initContainers = [], volumes = [] }: V1PodSpec): boolean {
  const mounts = (list: V1Container[]) =>
    list.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name))
  const twice = (names: string[]) =>
    volumes.some(
      ({ name, emptyDir }) => emptyDir !== undefined && names.filter((each) => each === name).length > 1,
    )
  return twice(mounts(containers)) || initContainers.some((container) => twice(mounts([container])))
}

function restarts({ restartPolicy }: V1Container): boolean {
  return restartPolicy === 'Always'
}

function hooksOverNetwork({ lifecycle }: Container): boolean {
  const hooks = [lifecycle?.postStart, lifecycle?.preStop]
  return hooks.some((hook) => hook?.httpGet !== undefined || hook?.tcpSocket !== undefined)
}

function probesOf({ startupProbe, livenessProbe, readinessProbe }: Container) {
  return [startupProbe, livenessProbe, readinessProbe]
}
