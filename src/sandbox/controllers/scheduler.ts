import type { ObjectKey, Writer } from '../writer.ts'
import { recordEvent } from './events.ts'
import { misfit } from './fit.ts'
import type { Condition, Node, Pod } from './kinds.ts'
import { isActive } from './pods.ts'
import { withCondition } from './status.ts'

const source = 'default-scheduler'

/** Binds a pod to a node that it fits on and that has the fewest pods, or says in its status why it cannot. */
export function schedule(writer: Writer, key: ObjectKey): void {
  const { store } = writer
  const pod = store.get(key.resource, key) as Pod | undefined
  if (pod === undefined || !isWaiting(pod)) return
  const nodes = store.list('nodes') as Node[]
  const others = store.list('pods') as Pod[]
  const load = ({ metadata }: Node) =>
    others.filter((other) => other.spec.nodeName === metadata.name && isActive(other)).length
  const [chosen] = nodes
    .filter((node) => misfit(pod.spec, node) === undefined)
    .map((node) => ({ nodeName: node.metadata.name, load: load(node) }))
    .sort((a, b) => a.load - b.load)
  if (chosen === undefined) refuse(writer, key, whyNone(pod, nodes))
  else bind(writer, key, chosen.nodeName)
}

/** Whether it is this scheduler's to find a node for a pod. */
function isWaiting(pod: Pod): boolean {
  const { nodeName, schedulerName = source, schedulingGates = [] } = pod.spec
  return nodeName === undefined && schedulerName === source && schedulingGates.length === 0 && isActive(pod)
}

function bind(writer: Writer, key: ObjectKey, nodeName: string): void {
  writer.change(key, (pod) => ({ ...pod, spec: { ...(pod as Pod).spec, nodeName } }))
  const bound = tell(writer, key, { type: 'PodScheduled', status: 'True' })
  const message = `Successfully assigned ${key.namespace}/${key.name} to ${nodeName}`
  if (bound !== undefined) recordEvent(writer, bound, { reason: 'Scheduled', message, source })
}

function refuse(writer: Writer, key: ObjectKey, message: string): void {
  const pod = tell(writer, key, { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message })
  if (pod) recordEvent(writer, pod, { reason: 'FailedScheduling', message, type: 'Warning', source })
}

/** As k8s.io/kubernetes/pkg/scheduler/framework words it (FitError). */
function whyNone({ spec }: Pod, nodes: readonly Node[]): string {
  if (nodes.length === 0) return 'no nodes available to schedule pods'
  const found = nodes.map((node) => misfit(spec, node) ?? '')
  const count = (reason: string) => found.filter((each) => each === reason).length
  const reasons = [...new Set(found)].map((reason) => `${count(reason)} ${reason}`).sort()
  const none = `0/${nodes.length} nodes are available:`
  return `${none} ${reasons.join(', ')}. preemption: ${none} ${nodes.length} Preemption is not helpful for scheduling.`
}

/** The pod if that is news. */
function tell(writer: Writer, key: ObjectKey, told: Condition): Pod | undefined {
  const before = writer.store.get(key.resource, key)
  const set = (status: Pod['status']) => {
    const known = status?.conditions?.filter(
      ({ type, message }) => type !== told.type || message === told.message,
    )
    return { ...status, conditions: withCondition(known, told) }
  }
  const pod = writer.change(key, (object) => ({ ...object, status: set((object as Pod).status) }), 'status')
  return pod === before ? undefined : (pod as Pod)
}
