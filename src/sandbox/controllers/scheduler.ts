import type { KubeObject } from '../object.ts'
import type { Change } from '../store.ts'
import { timestamp } from '../values.ts'
import type { ObjectKey, Writer } from '../writer.ts'
import { recordEvent } from './events.ts'
import { misfit } from './fit.ts'
import type { Condition, Node, Pod } from './kinds.ts'
import { condition, hasEnded } from './pods.ts'

const name = 'default-scheduler'

/** Chooses nodes for pods. */
export interface Scheduler {
  /** Keeps count of the pods on each node. */
  observe(change: Change): void
  /** Binds a pod to a node that it fits on and that has the fewest pods, or says in its status why it cannot. */
  schedule(key: ObjectKey): void
}

export function createScheduler(writer: Writer): Scheduler {
  const podsOn = new Map<string, number>()
  const count = (object: KubeObject | undefined, by: number) => {
    const { spec, status } = (object ?? {}) as Partial<Pod>
    if (spec?.nodeName === undefined || hasEnded(status?.phase)) return
    podsOn.set(spec.nodeName, (podsOn.get(spec.nodeName) ?? 0) + by)
  }
  return {
    observe({ resource, type, object, previous }) {
      if (resource !== 'pods') return
      count(previous, -1)
      if (type !== 'DELETED') count(object, 1)
    },
    schedule(key) {
      const pod = writer.store.get(key.resource, key) as Pod | undefined
      if (pod === undefined || !isWaiting(pod)) return
      const nodes = writer.store.list('nodes') as Node[]
      const fits = nodes.filter((node) => misfit(pod.spec, node) === undefined)
      const load = ({ metadata }: Node) => podsOn.get(metadata.name) ?? 0
      const [chosen] = fits.sort((a, b) => load(a) - load(b))
      if (chosen === undefined) return refuse(writer, pod, whyNone(pod, nodes))
      bind(writer, key, chosen.metadata.name)
    },
  }
}

/** Whether it is this scheduler's to find a node for a pod. */
export function isWaiting({ spec, metadata, status }: Pod): boolean {
  const { nodeName, schedulerName = name, schedulingGates } = spec
  const isGated = Array.isArray(schedulingGates) && schedulingGates.length > 0
  const isOver = metadata.deletionTimestamp !== undefined || hasEnded(status?.phase)
  return nodeName === undefined && schedulerName === name && !isGated && !isOver
}

function bind(writer: Writer, key: ObjectKey, nodeName: string): void {
  const bound = writer.change(key, (pod) => ({ ...pod, spec: { ...(pod as Pod).spec, nodeName } }))
  if (bound === undefined) return
  tell(writer, key, { type: 'PodScheduled', status: 'True' })
  const { namespace, name: pod } = bound.metadata
  const message = `Successfully assigned ${namespace}/${pod} to ${nodeName}`
  recordEvent(writer, bound, { reason: 'Scheduled', message, source: name })
}

function refuse(writer: Writer, pod: Pod, message: string): void {
  const { namespace, name: podName } = pod.metadata
  const key = { resource: 'pods', namespace, name: podName }
  const known = condition(pod.status?.conditions, 'PodScheduled')
  if (known?.status === 'False' && known.message === message) return
  tell(writer, key, { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message })
  recordEvent(writer, pod, { reason: 'FailedScheduling', message, type: 'Warning', source: name })
}

/** As k8s.io/kubernetes/pkg/scheduler/framework words it (FitError). */
function whyNone({ spec }: Pod, nodes: readonly Node[]): string {
  if (nodes.length === 0) return 'no nodes available to schedule pods'
  const counts = new Map<string, number>()
  for (const node of nodes) {
    const reason = misfit(spec, node) ?? ''
    counts.set(reason, (counts.get(reason) ?? 0) + 1)
  }
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).sort()
  const none = `0/${nodes.length} nodes are available:`
  return `${none} ${reasons.join(', ')}. preemption: ${none} ${nodes.length} Preemption is not helpful for scheduling.`
}

function tell(writer: Writer, key: ObjectKey, told: Condition): void {
  writer.change(
    key,
    (pod) => {
      const { status } = pod as Pod
      const known = condition(status?.conditions, told.type)
      const lastTransitionTime =
        known?.status === told.status
          ? (known.lastTransitionTime ?? timestamp(new Date()))
          : timestamp(new Date())
      const others = (status?.conditions ?? []).filter(({ type }) => type !== told.type)
      return { ...pod, status: { ...status, conditions: [...others, { ...told, lastTransitionTime }] } }
    },
    'status',
  )
}
