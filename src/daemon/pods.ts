import * as v from 'valibot'
import { strictAnnotation } from '../agent/install/strict.ts'

/** The API server leaves out, or sends null for, what is empty. */
const text = v.nullish(v.string(), '')
function list<S extends v.GenericSchema>(item: S) {
  return v.nullish(v.array(item), [])
}

const containerStatus = v.object({
  name: v.string(),
  containerID: text,
  state: v.nullish(
    v.object({
      running: v.nullish(v.object({})),
      waiting: v.nullish(v.object({ reason: text, message: text })),
      terminated: v.nullish(v.object({ reason: text })),
    }),
    {},
  ),
  lastState: v.nullish(v.object({ terminated: v.nullish(v.object({ finishedAt: text })) }), {}),
})

const podSchema = v.object({
  metadata: v.object({
    name: v.string(),
    uid: v.string(),
    creationTimestamp: text,
    deletionTimestamp: text,
    annotations: v.nullish(v.record(v.string(), v.string()), {}),
  }),
  spec: v.object({
    nodeName: text,
    restartPolicy: text,
    containers: list(v.object({ name: v.string() })),
    initContainers: list(v.object({ name: v.string() })),
  }),
  status: v.nullish(
    v.object({
      phase: text,
      conditions: list(v.object({ type: v.string(), status: text })),
      containerStatuses: list(containerStatus),
      initContainerStatuses: list(containerStatus),
    }),
    { phase: '', conditions: [], containerStatuses: [], initContainerStatuses: [] },
  ),
})

/** A pod, as far as it matters to who is synced with what. */
export interface Pod {
  readonly uid: string
  readonly name: string
  /** Empty until it was scheduled. */
  readonly node: string
  /** RFC 3339, comparable as text. */
  readonly createdAt: string
  /** `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`. */
  readonly phase: string
  readonly deleting: boolean
  /** A container that ends is not started again. */
  readonly neverRestarts?: true
  readonly ready: boolean
  /** Whether it is that of a strict agent, if of any. */
  readonly strict?: boolean
  /** The container that kubectl would take: the annotated one, else the first. */
  readonly defaultContainer: string
  /** Init containers come last: only those that stay (sidecars) are ever running beside others. */
  readonly containers: readonly Container[]
}

export interface Container {
  readonly name: string
  /** The runtime's id while it runs (`containerd://…`), else undefined. */
  readonly runningId: string | undefined
  /** Why it does not run (`ContainerCreating`, `CrashLoopBackOff`, `Completed`), as far as that is known. */
  readonly reason: string
  /** When a kubelet that backs off starts it again, in milliseconds since 1970, as far as that is known. */
  readonly restartsAt?: number
}

/** Reads a pod as the API server sends it; undefined if it is none. */
export function readPod(object: unknown): Pod | undefined {
  const result = v.safeParse(podSchema, object)
  if (!result.success) return undefined
  const { metadata, spec, status } = result.output
  const statuses = [...status.containerStatuses, ...status.initContainerStatuses]
  const containers = [...spec.containers, ...spec.initContainers].map(({ name }) =>
    container(
      name,
      statuses.find((one) => one.name === name),
    ),
  )
  const annotated = metadata.annotations['kubectl.kubernetes.io/default-container']
  return {
    uid: metadata.uid,
    name: metadata.name,
    node: spec.nodeName,
    createdAt: metadata.creationTimestamp,
    phase: status.phase,
    deleting: metadata.deletionTimestamp !== '',
    ...(spec.restartPolicy === 'Never' ? { neverRestarts: true as const } : {}),
    ready: status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True'),
    ...(metadata.annotations[strictAnnotation] === 'true' ? { strict: true } : {}),
    defaultContainer: containers.find(({ name }) => name === annotated)?.name ?? containers[0]?.name ?? '',
    containers,
  }
}

function container(name: string, status: v.InferOutput<typeof containerStatus> | undefined): Container {
  const running = status?.state.running && status.containerID !== ''
  return {
    name,
    runningId: running ? status.containerID : undefined,
    reason: status?.state.waiting?.reason || status?.state.terminated?.reason || '',
    ...restartOf(status),
  }
}

/** The kubelet tells how long it waits, from when the container ended, in words: `back-off 1m20s restarting …`. */
function restartOf(status: v.InferOutput<typeof containerStatus> | undefined): Pick<Container, 'restartsAt'> {
  const [, minutes = 0, seconds = 0] =
    /^back-off (?:(\d+)m)?(?:(\d+)s)? restarting/.exec(status?.state.waiting?.message ?? '') ?? []
  const ended = Date.parse(status?.lastState.terminated?.finishedAt ?? '')
  const ms = (Number(minutes) * 60 + Number(seconds)) * 1000
  return ms > 0 && !Number.isNaN(ended) ? { restartsAt: ended + ms } : {}
}
