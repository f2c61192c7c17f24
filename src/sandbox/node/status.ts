import { at, isObject, type JsonObject, type KubeObject } from '../object.ts'
import { type Container, hostIP, type Pod, podIPOf } from './pod-spec.ts'

export interface Terminated {
  readonly exitCode: number
  readonly reason: string
  readonly message?: string
  readonly startedAt: string
  readonly finishedAt: string
  readonly containerID: string
}

/** As in a container's status. */
export type ContainerState =
  | { readonly waiting: { readonly reason: string; readonly message?: string } }
  | { readonly running: { readonly startedAt: string } }
  | { readonly terminated: Terminated }

/** How a container does. */
export interface ContainerView {
  readonly container: Container
  readonly state: ContainerState
  readonly lastState: { readonly terminated?: Terminated }
  readonly restartCount: number
  /** Empty before its first start. */
  readonly containerID: string
  /** Its startup probe succeeded, or there is none and it runs. */
  readonly started: boolean
  readonly ready: boolean
}

/** A container that was not started yet. */
export function newView(container: Container, reason: string): ContainerView {
  const never = { lastState: {}, restartCount: 0, containerID: '', started: false, ready: false }
  return { container, state: { waiting: { reason } }, ...never }
}

export interface PodView {
  readonly init: readonly ContainerView[]
  readonly containers: readonly ContainerView[]
  readonly ephemeral: readonly ContainerView[]
  /** All its containers are being ended, or have been, for good. */
  readonly terminal: boolean
}

type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed'

/** RFC 3339 in seconds, as all times in the API are. */
export function timestamp(date: Date = new Date()): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z')
}

/** A pod's status as the kubelet reports it; what others wrote into it (conditions of theirs) stays. */
export function podStatus(pod: Pod, view: PodView, now: string): JsonObject {
  const phase = phaseOf(pod, view)
  const podIP = podIPOf(pod)
  return {
    ...(isObject(pod.status) ? pod.status : {}),
    observedGeneration: pod.metadata.generation ?? 1,
    phase,
    conditions: conditionsOf(pod, view, { phase, now }),
    hostIP,
    hostIPs: [{ ip: hostIP }],
    podIP,
    podIPs: [{ ip: podIP }],
    startTime: at(pod, 'status', 'startTime') ?? now,
    ...(view.init.length > 0 ? { initContainerStatuses: view.init.map(statusOf) } : {}),
    containerStatuses: view.containers.map(statusOf),
    ...(view.ephemeral.length > 0 ? { ephemeralContainerStatuses: view.ephemeral.map(statusOf) } : {}),
    qosClass: at(pod, 'status', 'qosClass') ?? 'BestEffort',
  }
}

function statusOf({ container, ...view }: ContainerView): JsonObject {
  const { state, lastState, ready, restartCount, containerID, started } = view
  const image = container.image ?? ''
  return {
    name: container.name,
    ...{ state, lastState, ready, restartCount, image },
    imageID: containerID === '' ? '' : `sandbox://${image}`,
    ...(containerID === '' ? {} : { containerID }),
    started,
  }
}

/** The last end of a container that does not run. */
function endOf({ state, lastState }: ContainerView): Terminated | undefined {
  return 'terminated' in state ? state.terminated : 'waiting' in state ? lastState.terminated : undefined
}

const succeeded = (view: ContainerView) => 'terminated' in view.state && view.state.terminated.exitCode === 0
const running = ({ state }: ContainerView) => 'running' in state

/** Whether a container that ended is started again. */
export function runsAgain(restartPolicy: string | undefined, exitCode: number): boolean {
  return restartPolicy !== 'Never' && (restartPolicy !== 'OnFailure' || exitCode !== 0)
}

/** Source: getPhase in Kubernetes' pkg/kubelet/kubelet_pods.go. */
export function phaseOf({ spec: { restartPolicy } }: Pod, { init, containers, terminal }: PodView): Phase {
  const again = (view: ContainerView) => runsAgain(restartPolicy, endOf(view)?.exitCode ?? 0)
  const initFailed = init.some((view) => (endOf(view)?.exitCode ?? 0) !== 0)
  if (initFailed && restartPolicy === 'Never') return 'Failed'
  if (init.some((view) => running(view) || endOf(view) === undefined)) return 'Pending'
  if (containers.some((view) => !running(view) && endOf(view) === undefined)) return 'Pending'
  if (containers.some(running) || (!terminal && containers.some(again))) return 'Running'
  return containers.every((view) => endOf(view)?.exitCode === 0) ? 'Succeeded' : 'Failed'
}

interface Condition {
  readonly type: string
  readonly status: 'True' | 'False'
  readonly reason?: string
  readonly message?: string
}

function conditionsOf(pod: Pod, view: PodView, { phase, now }: { phase: Phase; now: string }): JsonObject[] {
  const list = at(pod, 'status', 'conditions')
  const before = Array.isArray(list) ? list.filter(isObject) : []
  const mine = [
    { type: 'PodReadyToStartContainers', status: view.terminal ? 'False' : 'True' } as const,
    initialized(view, phase),
    { type: 'Ready', ...readiness(view, phase) },
    { type: 'ContainersReady', ...readiness(view, phase) },
    { type: 'PodScheduled', status: 'True' } as const,
  ].map((condition) => {
    const old = before.find(({ type }) => type === condition.type)
    const since = old?.status === condition.status ? old.lastTransitionTime : now
    const observedGeneration = pod.metadata.generation ?? 1
    return { ...condition, observedGeneration, lastProbeTime: null, lastTransitionTime: since }
  })
  return [...mine, ...before.filter(({ type }) => !mine.some((each) => each.type === type))]
}

function initialized({ init, containers }: PodView, phase: Phase): Condition {
  const type = 'Initialized'
  if (phase === 'Succeeded') return { type, status: 'True', reason: 'PodCompleted' }
  const names = init.filter((view) => !succeeded(view)).map(({ container }) => container.name)
  if (names.length === 0 || containers.some(({ containerID }) => containerID !== ''))
    return { type, status: 'True' }
  const message = `containers with incomplete status: [${names.join(' ')}]`
  return { type, status: 'False', reason: 'ContainersNotInitialized', message }
}

function readiness({ containers }: PodView, phase: Phase): Omit<Condition, 'type'> {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' }
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' }
  const names = containers.filter(({ ready }) => !ready).map(({ container }) => container.name)
  if (names.length === 0) return { status: 'True' }
  const message = `containers with unready status: [${names.join(' ')}]`
  return { status: 'False', reason: 'ContainersNotReady', message }
}

/** The status of a container, by name, as the API has it. */
export function containerStatus(pod: KubeObject, container: string): JsonObject | undefined {
  return ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses']
    .flatMap((field) => at(pod, 'status', field) ?? [])
    .filter(isObject)
    .find(({ name }) => name === container)
}
