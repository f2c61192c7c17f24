import { oldNodeMessage } from './idle.ts'
import { agentContainer } from './objects.ts'
import type { AgentEvent, AgentPodState, ContainerStatus } from './observed.ts'

/** Why an agent is not ready. */
export interface Reason {
  /** A sentence without its full stop, lower case. */
  readonly message: string
  /** True if waiting longer cannot be expected to help. */
  readonly final: boolean
  readonly hint?: string
}

const otherImage = 'choose an image that has Node 20 or newer and that the nodes can pull, with --image'

/**
 * Why a pod is not ready, from its status and the events about it, oldest first; undefined when nothing is
 * wrong yet. Reasons are those of the kubelet (pkg/kubelet/images, pkg/kubelet/container) and the scheduler.
 */
export function explainPod(pod: AgentPodState, events: readonly AgentEvent[]): Reason | undefined {
  if (pod.status.phase === 'Failed') return podFailed(pod)
  const status = pod.status.containerStatuses.find(({ name }) => name === agentContainer)
  if (status === undefined) return unscheduled(pod) ?? sandbox(events)
  if (status.ready) return silentNode(pod)
  return (
    badImage(pod, status, events) ??
    crashed(pod, status) ??
    misconfigured(status) ??
    unhealthy(status, events) ??
    sandbox(events)
  )
}

/** Why the DaemonSet's controller could not create pods, from events about the DaemonSet, oldest first. */
export function explainDaemonSet(events: readonly AgentEvent[]): Reason | undefined {
  const message = lastMessage(events, 'FailedCreate')
  if (message === undefined) return undefined
  const cause = oneLine(message.replace(/^Error creating: /, '')).replace(/^pods "[^"]*" is forbidden: /, '')
  if (/violates PodSecurity/i.test(cause)) {
    return {
      message: `the namespace's Pod Security level forbids the agent's pod (it needs hostPID): ${cause}`,
      final: true,
      hint: 'label the namespace pod-security.kubernetes.io/enforce=privileged, or let `init` make one of its own with --namespace',
    }
  }
  if (/exceeded quota|must specify/i.test(cause)) {
    return {
      message: `the namespace's quota forbids the agent's pod: ${cause}`,
      final: true,
      hint: otherNamespace,
    }
  }
  return { message: `the agent's pod cannot be created: ${cause}`, final: isRefusal(message) }
}

const otherNamespace = 'choose another namespace with --namespace'

/** A refusal stays one; that an account is not known yet, or a webhook does not answer, passes. */
function isRefusal(message: string): boolean {
  return /forbidden|denied|invalid/i.test(message) && !/service account|failed calling webhook/i.test(message)
}

function podFailed(pod: AgentPodState): Reason {
  const { reason, message } = pod.status
  return { message: sentence('the node gave the pod up', [reason, message]), final: false }
}

/** The container was ready when the node was last heard of, but the pod is not. */
function silentNode(pod: AgentPodState): Reason | undefined {
  const ready = pod.status.conditions.find(({ type }) => type === 'Ready')
  if (ready === undefined || ready.status === 'True') return undefined
  return { message: 'the node is not heard of; is it down?', final: false }
}

function unscheduled(pod: AgentPodState): Reason | undefined {
  const scheduled = pod.status.conditions.find(({ type }) => type === 'PodScheduled')
  if (scheduled === undefined || scheduled.status !== 'False') return undefined
  return { message: sentence('the node has no place for it', [scheduled.message]), final: false }
}

/** Attempts to pull an image after which it is not expected any more; some 30 s. */
const patience = 3
const pullReasons = ['ErrImagePull', 'ImagePullBackOff', 'RegistryUnavailable']
const noSuchImage =
  /not found|manifest unknown|does not exist|access denied|unauthorized|authorization failed|no match for platform/i

function badImage(
  pod: AgentPodState,
  status: ContainerStatus,
  events: readonly AgentEvent[],
): Reason | undefined {
  const { reason, message } = status.state?.waiting ?? { reason: '', message: '' }
  const image = imageOf(pod)
  if (reason === 'InvalidImageName') {
    return { message: `${image} is not a valid image name`, final: true, hint: otherImage }
  }
  if (reason === 'ErrImageNeverPull') {
    return {
      message: `the image ${image} is not on the node, and may not be pulled`,
      final: true,
      hint: otherImage,
    }
  }
  if (!pullReasons.includes(reason)) return undefined
  // While it backs off, older kubelets say so and no more; the event before has the cause.
  const failure = events.findLast((event) => event.reason === 'Failed' && /pull image/i.test(event.message))
  const cause = pullCause(failure?.message ?? message, image)
  return {
    message: sentence(`the image ${image} cannot be pulled`, [cause]),
    final: noSuchImage.test(cause) || (failure?.count ?? 0) >= patience,
    hint: otherImage,
  }
}

/** The end of a chain such as `rpc error: code = X desc = failed to pull …: failed to resolve reference …: not found`. */
function pullCause(message: string, image: string): string {
  const chain =
    /^(?:Failed to pull image "[^"]*": |Back-off pulling image "[^"]*"(?:: )?|ErrImagePull: |rpc error: code = \w+ desc = |failed to (?:pull and unpack image|resolve reference|resolve image) "[^"]*": |failed to resolve image: )+/i
  const cause = oneLine(message.replace(chain, ''))
  return cause.startsWith(`${image}: `) ? cause.slice(image.length + 2) : cause
}

function crashed(pod: AgentPodState, status: ContainerStatus): Reason | undefined {
  const image = imageOf(pod)
  const end = status.state?.terminated ?? status.lastState?.terminated
  const said = `${status.state?.waiting?.message ?? ''}\n${end?.message ?? ''}`
  if (said.includes(oldNodeMessage)) {
    const version = said
      .slice(said.indexOf(oldNodeMessage) + oldNodeMessage.length)
      .trim()
      .split(/\s/)[0]
    return {
      message: `the image ${image} has Node ${version}, too old for kubesync`,
      final: true,
      hint: otherImage,
    }
  }
  if (/"node": executable file not found|"node": stat node: no such file/.test(said)) {
    return { message: `the image ${image} has no node in its PATH`, final: true, hint: otherImage }
  }
  if (/exec format error/.test(said)) {
    return { message: `the image ${image} is not for the CPU of this node`, final: true, hint: otherImage }
  }
  if (end === undefined || end === null) return undefined
  const how = end.reason === 'OOMKilled' ? 'it ran out of memory' : `it exits with code ${end.exitCode}`
  return {
    message: sentence(`its container ends at once: ${how}`, [lastLine(end.message)]),
    final: status.restartCount >= 2,
  }
}

function misconfigured(status: ContainerStatus): Reason | undefined {
  const { reason, message } = status.state?.waiting ?? { reason: '', message: '' }
  if (!/^(CreateContainer|RunContainer|PreCreateHook|PostStartHook)/.test(reason)) return undefined
  // What the spec says does not change by itself; what the runtime says may.
  return {
    message: sentence('the node cannot run the container', [message]),
    final: reason === 'CreateContainerConfigError',
  }
}

function unhealthy(status: ContainerStatus, events: readonly AgentEvent[]): Reason | undefined {
  if (!status.state?.running) return undefined
  const said = lastMessage(events, 'Unhealthy')
  return said === undefined ? undefined : { message: sentence('its probe fails', [said]), final: false }
}

const sandboxReasons = ['FailedCreatePodSandBox', 'FailedMount', 'FailedSync', 'NetworkNotReady']

/** What keeps a node from starting any container of the pod. */
function sandbox(events: readonly AgentEvent[]): Reason | undefined {
  const event = events.findLast(({ reason }) => sandboxReasons.includes(reason))
  if (event === undefined) return undefined
  return { message: sentence('the node cannot set the pod up', [event.message]), final: false }
}

function imageOf(pod: AgentPodState): string {
  return pod.spec.containers.find(({ name }) => name === agentContainer)?.image ?? 'of the agent'
}

function lastMessage(events: readonly AgentEvent[], reason: string): string | undefined {
  return events.findLast((event) => event.reason === reason)?.message
}

function sentence(head: string, details: readonly string[]): string {
  return [head, ...details.map(oneLine).filter((detail) => detail !== '')].join(': ')
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().replace(/\.$/, '')
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? ''
}
