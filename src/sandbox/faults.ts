import { KubesyncError } from '../errors.ts'
import { type Ballast, fillDisk } from './disk.ts'
import type { Weather } from './faulty.ts'
import type { Front, Use } from './front.ts'
import { at, isObject, type KubeObject, refOf } from './object.ts'
import type { Change } from './store.ts'
import type { Writer } from './writer.ts'

export interface PodName {
  readonly namespace: string
  readonly name: string
}

/** Faults on demand. Handlers know nothing of them: they come from the network, the disk, the API or a node. */
export interface Faults {
  /** Each answer, and each piece of a stream, comes so much later; 0 ends it. */
  latency(ms: number): void
  /** Breaks open connections of a use; how many there were. */
  cut(use: Use | 'all'): number
  /** Breaks each new stream of a use after so many bytes of answer; undefined ends it. */
  cutAfter(use: Use | 'all', bytes: number | undefined): void
  /** A black hole: connections are accepted and nothing travels, until so many milliseconds have passed. */
  drop(ms: number): void
  stopServer(): Promise<void>
  /** On the same port, with the same certificate and data. */
  startServer(): Promise<void>
  /** The history is forgotten: watches end with an ERROR event, and those from before get a 410. */
  expire(): void
  /** Deletes a pod in such a way that its controller makes it on another node; resolves with the new pod's name. */
  movePod(pod: PodName): Promise<string>
  killContainer(pod: PodName, container: string): void
  /** The file system of the containers has no room left, until `freeDisk`. */
  fillDisk(): void
  freeDisk(): void
  /** What is wrong at the moment, in words. */
  inForce(): readonly string[]
}

export interface FaultOptions {
  readonly writer: Writer
  readonly dataDir: string
  /** Shared with the connections. */
  readonly weather: ChangingWeather
  readonly front: Front
  killContainer(pod: KubeObject, container: string): void
}

/** Weather that can be made bad. */
export interface ChangingWeather extends Weather {
  latencyMs: number
  hole: Promise<void> | undefined
}

export function createFaults(options: FaultOptions): Faults {
  const { front, weather, writer } = options
  const limits = new Map<string, number>()
  let ballast: Ballast | undefined
  return {
    latency(ms) {
      weather.latencyMs = ms
    },
    cut: (use) => front.cut(use),
    cutAfter(use, bytes) {
      front.cutAfter(use, bytes)
      if (bytes === undefined) limits.delete(use)
      else limits.set(use, bytes)
    },
    drop(ms) {
      const hole = new Promise<void>((resolve) => setTimeout(resolve, ms)).then(() => {
        if (weather.hole === hole) weather.hole = undefined
      })
      weather.hole = hole
    },
    stopServer: () => front.stop(),
    startServer: () => front.start(),
    expire: () => writer.store.compact(),
    movePod: (pod) => movePod(writer, pod),
    killContainer: (pod, container) => options.killContainer(found(writer, pod), container),
    fillDisk() {
      ballast ??= fillDisk(options.dataDir)
    },
    freeDisk() {
      ballast?.remove()
      ballast = undefined
    },
    inForce: () => [
      ...(weather.latencyMs > 0 ? [`answers come ${weather.latencyMs} ms late`] : []),
      ...(weather.hole === undefined ? [] : ['nothing travels']),
      ...[...limits].map(([use, bytes]) => `connections (${use}) break after ${bytes} bytes`),
      ...(front.isListening ? [] : ['the API server is stopped']),
      ...(ballast === undefined ? [] : ['the disk is full']),
    ],
  }
}

function found(writer: Writer, pod: PodName): KubeObject {
  const object = writer.store.get('pods', pod)
  if (object === undefined) throw new KubesyncError('NO_SUCH_POD', `there is no pod ${refOf(pod)}`)
  return object
}

/** Cordons the pod's node for as long as it takes to find another one. */
async function movePod(writer: Writer, name: PodName): Promise<string> {
  const pod = found(writer, name)
  const owner = ownerOf(pod)
  const node = nodeOf(pod)
  const others = writer.store.list('nodes').filter(({ metadata }) => metadata.name !== node)
  if (owner === undefined || node === undefined || others.length === 0) {
    throw new KubesyncError('POD_STAYS', `nothing would make ${refOf(name)} anew on another node`, {
      hint: 'it takes a pod of a ReplicaSet that runs, and two nodes',
    })
  }
  cordon(writer, node, true)
  try {
    const moved = successor(writer, owner, node)
    writer.delete({ resource: 'pods', ...name })
    return await moved
  } finally {
    cordon(writer, node, false)
  }
}

function successor(writer: Writer, owner: string, node: string): Promise<string> {
  return new Promise((resolve) => {
    const seen = ({ resource, object, previous }: Change) => {
      const isBound =
        nodeOf(object) !== undefined && (previous === undefined || nodeOf(previous) === undefined)
      if (resource !== 'pods' || ownerOf(object) !== owner || !isBound || nodeOf(object) === node) return
      stop()
      resolve(object.metadata.name)
    }
    const stop = writer.store.onChange(seen)
  })
}

function ownerOf({ metadata }: KubeObject): string | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid
}

function nodeOf(pod: KubeObject): string | undefined {
  const name = at(pod, 'spec', 'nodeName')
  return typeof name === 'string' ? name : undefined
}

function cordon(writer: Writer, name: string, unschedulable: boolean): void {
  writer.change({ resource: 'nodes', name }, (node) => {
    const { unschedulable: _, ...spec } = (isObject(node.spec) ? node.spec : {}) as Record<string, unknown>
    return { ...node, spec: unschedulable ? { ...spec, unschedulable } : spec }
  })
}
