import { at, isObject, type JsonObject } from '../object.ts'
import { list } from '../values.ts'
import { type Container, hostIP, type Pod, podIPOf } from './pod-spec.ts'

export interface Terminated {
  readonly exitCode: number
  readonly reason: string
  readonly message?: string
  readonly startedAt: string
  readonly finishedAt: string
  readonly containerID: string
}

/** How a container does, as the API has it. */
export interface ContainerStatus {
  readonly name: string
  readonly image: string
  readonly imageID: string
  /** Only once it was started. */
  readonly containerID?: string
  readonly state:
    | { readonly waiting: { readonly reason: string; readonly message?: string } }
    | { readonly running: { readonly startedAt: string } }
    | { readonly terminated: Terminated }
  readonly lastState: { readonly terminated?: Terminated }
  readonly restartCount: number
  /** Its startup probe succeeded, or there is none and it runs. */
  readonly started: boolean
  readonly ready: boolean
}

/** Of a container that was not started yet. */
export function newStatus({ name, image = '' }: Container, reason: string): ContainerStatus {
  const never = { lastState: {}, restartCount: 0, started: false, ready: false }
  return { name, image, imageID: '', state: { waiting: { reason } }, ...never }
}

export interface PodView {
  readonly init: readonly ContainerStatus[]
  readonly containers: readonly ContainerStatus[]
  readonly ephemeral: readonly ContainerStatus[]
  /** All its containers are being ended, or have been, for good. */
  readonly terminal: boolean
}

type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed'

/** A pod's status as the kubelet reports it; what others wrote into it (conditions of theirs) stays. */
export function podStatus(pod: Pod, view: PodView, now: string): JsonObject {
  const podIP = podIPOf(pod)
  return {
    ...(isObject(pod.status) ? pod.status : {}),
    observedGeneration: pod.metadata.generation ?? 1,
    phase: phaseOf(pod, view),
    conditions: conditionsOf(pod, view, now),
    ...{ hostIP, hostIPs: [{ ip: hostIP }], podIP, podIPs: [{ ip: podIP }] },
    startTime: at(pod, 'status', 'startTime') ?? now,
    ...(view.init.length > 0 ? { initContainerStatuses: view.init } : {}),
    containerStatuses: view.containers,
    ...(view.ephemeral.length > 0 ? { ephemeralContainerStatuses: view.ephemeral } : {}),
    qosClass: at(pod, 'status', 'qosClass') ?? 'BestEffort',
  }
}

/** The last end of a container that does not run. */
function endOf({ state, lastState }: ContainerStatus): Terminated | undefined {
  return 'terminated' in state ? state.terminated : 'waiting' in state ? lastState.terminated : undefined
}

const running = ({ state }: ContainerStatus) => 'running' in state

/** Whether a container that ended is started again. */
export function runsAgain(restartPolicy: string | undefined, exitCode: number): boolean {
  return restartPolicy !== 'Never' && (restartPolicy !== 'OnFailure' || exitCode !== 0)
}

/** Source: getPhase in Kubernetes' pkg/kubelet/kubelet_pods.go. */
export function phaseOf({ spec: { restartPolicy } }: Pod, { init, containers, terminal }: PodView): Phase {
  const again = (status: ContainerStatus) => runsAgain(restartPolicy, endOf(status)?.exitCode ?? 0)
  const initFailed = init.some((status) => (endOf(status)?.exitCode ?? 0) !== 0)
  if (initFailed && restartPolicy === 'Never') return 'Failed'
  if (init.some((status) => running(status) || endOf(status) === undefined)) return 'Pending'
  if (containers.some((status) => !running(status) && endOf(status) === undefined)) return 'Pending'
  if (containers.some(running) || (!terminal && containers.some(again))) return 'Running'
  return containers.every((status) => endOf(status)?.exitCode === 0) ? 'Succeeded' : 'Failed'
}

function conditionsOf(pod: Pod, view: PodView, now: string): JsonObject[] {
  const before = list(at(pod, 'status', 'conditions'))
  const begun = view.containers.some(({ containerID }) => containerID !== undefined)
  const ready = readiness(view.containers, phaseOf(pod, view))
  const mine = [
    { type: 'PodReadyToStartContainers', status: view.terminal ? 'False' : 'True' },
    { type: 'Initialized', ...(begun ? { status: 'True' } : all(view.init, 'Initialized', 'incomplete')) },
    { type: 'Ready', ...ready },
    { type: 'ContainersReady', ...ready },
    { type: 'PodScheduled', status: 'True' },
  ].map((condition) => {
    const old = before.find(({ type }) => type === condition.type)
    const since = old?.status === condition.status ? old.lastTransitionTime : now
    const observedGeneration = pod.metadata.generation ?? 1
    return { ...condition, observedGeneration, lastProbeTime: null, lastTransitionTime: since }
  })
  return [...mine, ...before.filter(({ type }) => !mine.some((each) => each.type === type))]
}

function readiness(containers: PodView['containers'], phase: Phase) {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' }
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' }
  return all(containers, 'Ready', 'unready')
}

/** Whether all containers are ready, which those that initialize are when they have succeeded. */
function all(containers: PodView['containers'], what: string, without: string) {
  const names = containers.filter(({ ready }) => !ready).map(({ name }) => name)
  if (names.length === 0) return { status: 'True' }
  const message = `containers with ${without} status: [${names.join(' ')}]`
  return { status: 'False', reason: `ContainersNot${what}`, message }
}
