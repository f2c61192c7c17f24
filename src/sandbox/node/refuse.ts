import type { V1Container, V1PodSpec } from '@kubernetes/client-node'
import { notImplemented } from '../failure.ts'
import type { KubeObject } from '../object.ts'
import { type Container, containersOf, podOf } from './pod-spec.ts'

/**
 * Refuses with 501 what a pod asks of its node and the sandbox's nodes do not do. It is for the API to call when a pod is
 * created and when its ephemeral containers change: later nobody could be told.
 */
export function refusePod(object: KubeObject): void {
  const pod = podOf(object)
  refuse(ofPods, pod.spec, '')
  for (const container of containersOf(pod)) refuse(ofContainers, container, ` (container ${container.name})`)
  for (const volume of pod.spec.volumes ?? []) {
    const other = Object.keys(volume).find((key) => !volumeFields.has(key))
    if (other !== undefined) throw notImplemented(`volumes of type ${other} (${volume.name})`)
    const sources = (volume.projected?.sources ?? []).flatMap((source) => Object.keys(source))
    const unknown = sources.find((source) => !projectedFields.has(source))
    if (unknown !== undefined) throw notImplemented(`projected volumes with ${unknown} (${volume.name})`)
  }
}

type Table<T> = Readonly<Record<string, (value: T) => unknown>>

function refuse<T>(table: Table<T>, value: T, where: string): void {
  for (const [feature, asked] of Object.entries(table)) {
    if (asked(value)) throw notImplemented(feature + where)
  }
}

const ofPods: Table<V1PodSpec> = {
  activeDeadlineSeconds: ({ activeDeadlineSeconds }) => activeDeadlineSeconds !== undefined,
  readinessGates: ({ readinessGates }) => readinessGates?.length,
  'init containers that go on running': ({ initContainers }) =>
    initContainers?.some(({ restartPolicy }) => restartPolicy === 'Always'),
  'an emptyDir volume that is mounted more than once': isShared,
  'volumes in ephemeral containers': ({ ephemeralContainers }) =>
    ephemeralContainers?.some(({ volumeMounts }) => volumeMounts?.length),
}

const ofContainers: Table<Container> = {
  'a terminal (tty)': ({ tty }) => tty,
  subPath: ({ volumeMounts }) => volumeMounts?.some(({ subPath, subPathExpr }) => subPath || subPathExpr),
  volumeDevices: ({ volumeDevices }) => volumeDevices?.length,
  restartPolicyRules: ({ restartPolicyRules }) => restartPolicyRules?.length,
  'lifecycle hooks': ({ lifecycle }) => lifecycle,
  'probes over gRPC': ({ startupProbe, livenessProbe, readinessProbe }) =>
    [startupProbe, livenessProbe, readinessProbe].some((probe) => probe?.grpc),
  'termination messages in files': ({ terminationMessagePath = usualPath }) =>
    terminationMessagePath !== usualPath,
  'environment variables from resources or files': ({ env }) =>
    env?.some(({ valueFrom }) => valueFrom?.resourceFieldRef || valueFrom?.fileKeyRef),
}

/** The default, which nobody can write to: absolute paths are the machine's. */
const usualPath = '/dev/termination-log'

const volumeFields = new Set(['name', 'emptyDir', 'configMap', 'secret', 'projected'])
const projectedFields = new Set(['configMap', 'secret', 'serviceAccountToken'])

function isShared({ containers, initContainers = [], volumes = [] }: V1PodSpec): boolean {
  const twice = (list: V1Container[]) => {
    const mounted = list.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name))
    const count = (name: string) => mounted.filter((each) => each === name).length
    return volumes.some(({ name, emptyDir }) => emptyDir !== undefined && count(name) > 1)
  }
  return twice(containers) || initContainers.some((container) => twice([container]))
}
