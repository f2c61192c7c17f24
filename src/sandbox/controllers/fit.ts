import type { Node, NodeSelectorTerm, PodSpec, Requirement, Taint, Toleration } from './kinds.ts'
import { condition } from './status.ts'

const unschedulable = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }
const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }

/** Why a pod cannot run on a node, in the scheduler's words (k8s.io/kubernetes/pkg/scheduler); undefined if it can. */
export function misfit(pod: PodSpec, node: Node): string | undefined {
  const tolerations = pod.tolerations ?? []
  if (node.spec?.unschedulable === true && !isTolerated(unschedulable, tolerations)) {
    return 'node(s) were unschedulable'
  }
  if (pod.nodeName !== undefined && pod.nodeName !== node.metadata.name) {
    return "node(s) didn't match the requested node name"
  }
  const taints = taintsOf(node).filter(({ effect }) => effect === 'NoSchedule' || effect === 'NoExecute')
  if (!taints.every((taint) => isTolerated(taint, tolerations))) return 'node(s) had untolerated taint(s)'
  return isSelected(pod, node) ? undefined : "node(s) didn't match Pod's node affinity/selector"
}

/** A node that is not ready counts as tainted, as the node controller would do it. */
function taintsOf({ spec, status }: Node): readonly Taint[] {
  const isReady = condition(status?.conditions, 'Ready')?.status === 'True'
  return isReady ? (spec?.taints ?? []) : [...(spec?.taints ?? []), notReady]
}

function isTolerated(taint: Taint, tolerations: readonly Toleration[]): boolean {
  return tolerations.some(({ key = '', operator = 'Equal', value = '', effect = '' }) => {
    if (effect !== '' && effect !== taint.effect) return false
    if (key === '' ? operator !== 'Exists' : key !== taint.key) return false
    return operator === 'Exists' || value === (taint.value ?? '')
  })
}

function isSelected({ nodeSelector = {}, affinity }: PodSpec, node: Node): boolean {
  const labels = node.metadata.labels ?? {}
  if (!Object.entries(nodeSelector).every(([key, value]) => labels[key] === value)) return false
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return required === undefined || required.nodeSelectorTerms.some((term) => isMatch(term, node))
}

function isMatch({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, { metadata }: Node): boolean {
  // A term that asks for nothing matches nothing.
  if (matchExpressions.length + matchFields.length === 0) return false
  const fields = { 'metadata.name': metadata.name }
  return (
    matchExpressions.every((requirement) => holds(requirement, metadata.labels ?? {})) &&
    matchFields.every((requirement) => holds(requirement, fields))
  )
}

function holds(
  { key, operator, values = [] }: Requirement,
  labels: Readonly<Record<string, string>>,
): boolean {
  const value = labels[key]
  if (operator === 'DoesNotExist') return value === undefined
  if (operator === 'NotIn') return value === undefined || !values.includes(value)
  if (value === undefined) return false
  if (operator === 'Gt') return Number(value) > Number(values[0])
  if (operator === 'Lt') return Number(value) < Number(values[0])
  return operator === 'Exists' || values.includes(value)
}
