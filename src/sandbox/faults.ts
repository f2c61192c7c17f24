import * as v from 'valibot'
import { KubesyncError } from '../errors.ts'
import type { Pod } from './controllers/kinds.ts'
import { controllerOf } from './controllers/pods.ts'
import { type Ballast, fillDisk } from './disk.ts'
import { uses, type Weather } from './faulty.ts'
import type { Front } from './front.ts'
import { type KubeObject, refOf } from './object.ts'
import type { Writer } from './writer.ts'

/** Faults on demand. Handlers know nothing of them: they come from the network, the disk, the API or a node. */
export interface Faults {
  /** Has a fault come or go, such as `{"fault":"latency","ms":100}`; what came of it. Rejects with BAD_FAULT. */
  carryOut(request: unknown): Promise<unknown>
  /** What is wrong at the moment, in words. */
  inForce(): readonly string[]
}

export interface FaultOptions {
  readonly writer: Writer
  readonly dataDir: string
  /** Shared with the connections. */
  readonly weather: Weather
  readonly front: Front
  killContainer(pod: KubeObject, container: string): void
}

const named = { namespace: v.string(), name: v.string() }
const use = v.picklist(['all', ...uses])
const ms = v.pipe(v.number(), v.minValue(0), v.maxValue(3_600_000))
const bytes = v.optional(v.pipe(v.number(), v.minValue(0)))

type Fault = (details: unknown) => unknown

/** A fault, and the parameters that come with it. */
function fault<T extends v.ObjectEntries>(
  parameters: T,
  apply: (given: v.InferOutput<v.StrictObjectSchema<T, undefined>>) => unknown,
): Fault {
  return (details) => apply(checked(v.strictObject(parameters), details))
}

function checked<T>(schema: v.GenericSchema<unknown, T>, value: unknown): T {
  const parsed = v.safeParse(schema, value)
  if (!parsed.success) throw new KubesyncError('BAD_FAULT', v.summarize(parsed.issues))
  return parsed.output
}

export function createFaults({ writer, weather, front, ...options }: FaultOptions): Faults {
  const { limits } = weather
  let ballast: Ballast | undefined
  const faults: Readonly<Record<string, Fault>> = {
    // Each answer, and each piece of a stream, comes so much later; 0 ends it.
    latency: fault({ ms }, (given) => {
      weather.latencyMs = given.ms
    }),
    // Breaks the open connections of a use; how many there were.
    cut: fault({ use }, (given) => front.cut(given.use)),
    // Breaks each new stream of a use after so many bytes of answer; without them it ends.
    'cut-after': fault({ use, bytes }, (given) => {
      if (given.bytes === undefined) limits.delete(given.use)
      else limits.set(given.use, given.bytes)
    }),
    // A black hole: connections are accepted and nothing travels, for a time.
    drop: fault({ ms }, (given) => {
      const hole = new Promise<void>((resolve) => setTimeout(resolve, given.ms)).then(() => {
        if (weather.hole === hole) weather.hole = undefined
      })
      weather.hole = hole
    }),
    'stop-server': fault({}, () => front.stop()),
    // On the same port, with the same certificate and data.
    'start-server': fault({}, () => front.start()),
    // The history is forgotten: watches end with an ERROR event, and those from before get a 410.
    expire: fault({}, () => writer.store.compact()),
    // Deletes a pod in such a way that its controller makes it on another node; the new one's name.
    'move-pod': fault(named, (given) => movePod(writer, found(writer, given))),
    'kill-container': fault({ ...named, container: v.string() }, (given) =>
      options.killContainer(found(writer, given), given.container),
    ),
    // The file system of the containers has no room left, until it is freed.
    'fill-disk': fault({}, () => {
      ballast ??= fillDisk(options.dataDir)
    }),
    'free-disk': fault({}, () => {
      ballast?.remove()
      ballast = undefined
    }),
  }
  const known = v.looseObject({ fault: v.picklist(Object.keys(faults)) })
  return {
    async carryOut(request) {
      const { fault, ...details } = checked(known, request)
      return faults[fault]?.(details)
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

function found({ store }: Writer, name: { readonly namespace: string; readonly name: string }): Pod {
  const pod = store.get('pods', name)
  if (pod === undefined) throw new KubesyncError('NO_SUCH_POD', `there is no pod ${refOf(name)}`)
  return pod as Pod
}

/** Cordons the pod's node for as long as it takes to find another one. */
async function movePod(writer: Writer, pod: Pod): Promise<string> {
  const { namespace, name } = pod.metadata
  const { nodeName } = pod.spec
  if (controllerOf(pod) === undefined || nodeName === undefined || writer.store.list('nodes').length < 2) {
    throw new KubesyncError('POD_STAYS', `nothing would make ${name} anew on another node`, {
      hint: 'it takes a pod of a ReplicaSet that runs, and two nodes',
    })
  }
  const cordon = (unschedulable: boolean) =>
    writer.change({ resource: 'nodes', name: nodeName }, ({ spec, ...node }) => {
      const { unschedulable: _, ...others } = Object(spec)
      return { ...node, spec: unschedulable ? { ...others, unschedulable } : others }
    })
  cordon(true)
  try {
    const moved = successor(writer, pod)
    writer.delete({ resource: 'pods', namespace, name })
    return await moved
  } finally {
    cordon(false)
  }
}

/** The name of the next pod of the same owner that is bound to another node. */
function successor({ store }: Writer, pod: Pod): Promise<string> {
  return new Promise((resolve) => {
    const stop = store.onChange(({ resource, object, previous }) => {
      if (resource !== 'pods' || controllerOf(object)?.uid !== controllerOf(pod)?.uid) return
      const [now, before] = [object, previous].map((each) => (each as Pod | undefined)?.spec.nodeName)
      if (now === undefined || now === before || now === pod.spec.nodeName) return
      stop()
      resolve(object.metadata.name)
    })
  })
}
