import type { PodTarget } from '../agent/ephemeral/connect.ts'
import { defaultImage } from '../agent/install/objects.ts'
import type { Spec } from '../config/spec.ts'
import { type FirstContact, firstContactIn, type Mode, writesTo } from '../files/mode.ts'
import type { Container, Pod } from './pods.ts'

/** A `peer` is one of several that all sync as the spec says. */
export type Role = 'leader' | 'follower' | 'peer'

/** A running container that a spec is to be synced with, and how. */
export interface Binding {
  readonly podUid: string
  readonly pod: string
  readonly node: string
  readonly container: string
  /** A container that restarts gets a new one, and with it a new file system. */
  readonly containerId: string
  readonly role: Role
  readonly mode: Mode
  readonly firstContact: FirstContact
  /** A container that ends is not started again. */
  readonly neverRestarts?: true
}

/** A bound container as an agent in its own pod is to reach it. */
export function podTargetOf(spec: Spec, { pod, podUid, container, containerId }: Binding): PodTarget {
  const image = spec.agentImage ?? defaultImage
  return { namespace: spec.namespace, pod, podUid, container, containerId, image }
}

export interface Decision {
  /** Oldest pod first. */
  readonly bindings: readonly Binding[]
  /** UID of the pod that leads; it keeps that place while its container restarts. */
  readonly leader: string | undefined
  /** Why there is no binding: a sentence. */
  readonly waiting?: string
}

export interface Situation {
  readonly spec: Spec
  readonly pods: readonly Pod[]
  /** UID of the pod that led so far. */
  readonly leader?: string | undefined
  /** UIDs of pods that could not be synced for a while. */
  readonly failing: ReadonlySet<string>
}

interface Candidate {
  readonly pod: Pod
  readonly container: Container
}

/**
 * Decides which containers are synced now, and who leads: the one whose changes reach the laptop, and from
 * there the others. Pure.
 *
 * A new leader is chosen from those that can be synced, ready ones first, then the oldest. It is not changed
 * without need, because what a follower has that nobody else has then starts to travel: not when it is
 * unready for a while or its container restarts, but when its pod goes, when its container backs off, or when
 * it cannot be reached and another can.
 */
export function decide(situation: Situation): Decision {
  const { spec } = situation
  const pods = situation.pods.toSorted(byAge)
  const candidates = pods
    .filter(isAlive)
    .map((pod) => ({ pod, container: wanted(spec, pod) }))
    .filter((one): one is Candidate => one.container !== undefined)
  const leader = chooseLeader(candidates, situation)
  const bindings = candidates.flatMap((one) => bindingOf(one, { spec, leader }))
  if (bindings.length > 0) return { bindings, leader }
  return { bindings, leader, waiting: whyWaiting(spec, pods) }
}

/** True unless the pod is on its way out, or has run to its end. */
export function isAlive(pod: Pod): boolean {
  return !pod.deleting && pod.phase !== 'Succeeded' && pod.phase !== 'Failed'
}

/** Whether there are pods and none of them ever will have the container that the spec names. */
export function isHopeless(spec: Spec, pods: readonly Pod[]): boolean {
  const alive = pods.filter(isAlive)
  return alive.length > 0 && alive.every((pod) => wanted(spec, pod) === undefined)
}

function wanted(spec: Spec, pod: Pod): Container | undefined {
  const name = spec.container ?? pod.defaultContainer
  return pod.containers.find((container) => container.name === name)
}

function byAge(a: Pod, b: Pod): number {
  return compare(a.createdAt, b.createdAt) || compare(a.uid, b.uid)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

function chooseLeader(candidates: readonly Candidate[], situation: Situation): string | undefined {
  const failing = ({ pod }: Candidate) => situation.failing.has(pod.uid)
  const running = candidates.filter(({ container }) => container.runningId !== undefined)
  const sound = running.filter((one) => !failing(one))
  const current = candidates.find(({ pod }) => pod.uid === situation.leader)
  if (current !== undefined && !isBackingOff(current.container)) {
    if (sound.length === 0 || !failing(current)) return current.pod.uid
  }
  const best = sound.find(({ pod }) => pod.ready) ?? sound[0] ?? running[0] ?? current
  return best?.pod.uid
}

/** It fails again and again (`CrashLoopBackOff`, `ImagePullBackOff`): it may not be back for minutes. */
function isBackingOff({ reason }: Container): boolean {
  return reason.endsWith('BackOff')
}

function bindingOf({ pod, container }: Candidate, by: { spec: Spec; leader: string | undefined }): Binding[] {
  const role = roleOf(pod, by)
  const mode = role === 'follower' ? followerMode(by.spec.mode) : by.spec.mode
  const firstContact = firstContactIn(mode, by.spec.firstContact)
  const containerId = container.runningId
  if (containerId === undefined || (role === 'follower' && !hasFollowers(by.spec))) return []
  const where = { podUid: pod.uid, pod: pod.name, node: pod.node, container: container.name, containerId }
  const fate = pod.neverRestarts === true ? { neverRestarts: true as const } : {}
  return [{ ...where, role, mode, firstContact, ...fate }]
}

/** Followers receive only. */
function followerMode(mode: Mode): Mode {
  return mode === 'to-remote-mirror' ? mode : 'to-remote-safe'
}

function roleOf(pod: Pod, { spec, leader }: { spec: Spec; leader: string | undefined }): Role {
  if (spec.twoWayAll === true) return 'peer'
  return pod.uid === leader ? 'leader' : 'follower'
}

/** What is never sent to the containers has nothing to give to a follower. */
function hasFollowers({ pods, mode }: Spec): boolean {
  return pods !== 'leader' && writesTo(mode, 'remote')
}

function whyWaiting(spec: Spec, pods: readonly Pod[]): string {
  const pod = pods.find(isAlive) ?? pods[0]
  if (pod === undefined) {
    return spec.pod === undefined
      ? `no pod matches ${spec.selector} in namespace ${spec.namespace}`
      : `there is no pod ${spec.pod} in namespace ${spec.namespace}`
  }
  if (pod.deleting) return `pod ${pod.name} is being deleted`
  if (!isAlive(pod)) return `pod ${pod.name} has ended (${pod.phase})`
  if (pod.node === '') return `pod ${pod.name} has no node yet`
  const container = wanted(spec, pod)
  if (container === undefined) {
    const names = pod.containers.map(({ name }) => name).join(', ')
    return `pod ${pod.name} has no container ${spec.container}; it has ${names}`
  }
  const at = container.restartsAt
  const until = at === undefined ? '' : `, until ${new Date(at).toTimeString().slice(0, 8)}`
  const reason = container.reason === '' ? '' : ` (${container.reason}${until})`
  return `container ${container.name} of pod ${pod.name} is not running${reason}`
}
