import { valueAt } from '../path.ts'
import { isList, isMap, type JsonMap } from '../value.ts'

/** How far something is that takes time after it was written. */
export type Progress =
  | { readonly state: 'ready' }
  | { readonly state: 'waiting'; readonly words: string }
  | { readonly state: 'failed'; readonly reason: string }

const ready: Progress = { state: 'ready' }
const waiting = (words: string): Progress => ({ state: 'waiting', words })

/** Whether others may build on an object: a definition is established, a namespace takes objects. */
export function gateOf(object: JsonMap): Progress {
  if (object.kind === 'Namespace') {
    const phase = valueAt(object, ['status', 'phase'])
    return phase === 'Active' ? ready : waiting(`it is ${String(phase ?? 'new')}`)
  }
  if (object.kind !== 'CustomResourceDefinition') return ready
  return conditionOf(object, 'Established')?.status === 'True' ? ready : waiting('it is not established yet')
}

/** Whether objects of a kind are rolled out. */
export function hasRollout(kind: string): boolean {
  return ['Deployment', 'StatefulSet', 'DaemonSet'].includes(kind)
}

/** How far a rollout is, after `kubectl rollout status`; other kinds have none. */
export function rolloutOf(object: JsonMap): Progress {
  const kind = String(object.kind)
  if (!hasRollout(kind)) return ready
  if (valueAt(object, ['spec', 'updateStrategy', 'type']) === 'OnDelete') return ready
  const status = (name: string) => Number(valueAt(object, ['status', name]) ?? 0)
  if (status('observedGeneration') < Number(valueAt(object, ['metadata', 'generation']) ?? 0)) {
    return waiting('its controller has not seen it yet')
  }
  const stuck = conditionOf(object, 'Progressing')
  if (stuck?.reason === 'ProgressDeadlineExceeded') return { state: 'failed', reason: String(stuck.message) }
  const isDaemon = kind === 'DaemonSet'
  const wanted = isDaemon
    ? status('desiredNumberScheduled')
    : Number(valueAt(object, ['spec', 'replicas']) ?? 1)
  const kept = Number(valueAt(object, ['spec', 'updateStrategy', 'rollingUpdate', 'partition']) ?? 0)
  const updated = status(isDaemon ? 'updatedNumberScheduled' : 'updatedReplicas')
  const up = status(
    isDaemon ? 'numberAvailable' : kind === 'Deployment' ? 'availableReplicas' : 'readyReplicas',
  )
  if (updated < wanted - kept) return waiting(`${updated} of ${wanted - kept} updated`)
  if (kind === 'Deployment' && status('replicas') > updated) return waiting('old pods are still there')
  return up < wanted ? waiting(`${up} of ${wanted} available`) : ready
}

function conditionOf(object: JsonMap, type: string): JsonMap | undefined {
  const conditions = valueAt(object, ['status', 'conditions'])
  return isList(conditions) ? conditions.filter(isMap).find((one) => one.type === type) : undefined
}
