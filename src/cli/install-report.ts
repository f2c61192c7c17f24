import type { AppliedObject } from '../agent/install/install.ts'
import type { NodeProgress, Rollout } from '../agent/install/rollout.ts'
import type { Progress } from '../ui/progress.ts'
import { count, duration, printable } from '../ui/text.ts'

const words: Readonly<Record<NodeProgress['state'], string>> = {
  pending: 'it has no pod yet',
  pulling: 'it pulls the image',
  starting: 'it starts',
  ready: 'ready',
  failed: 'it failed',
}

const changes = {
  created: 'created',
  changed: 'updated',
  unchanged: 'unchanged',
  left: 'left as it is',
} as const

/** Tells of an install: a line for each object, and one for each node once it is ready or has failed. */
export function installReport(progress: Progress, now = () => performance.now()) {
  const startedAt = now()
  const told = new Map<string, string>()
  return {
    object({ kind, name, change }: AppliedObject): void {
      progress.line(`${kind} ${name}: ${changes[change]}`)
    },
    rollout(rollout: Rollout): void {
      for (const node of rollout.nodes) {
        if (node.state !== 'ready' && node.state !== 'failed') continue
        if (told.get(node.node) === node.state) continue
        told.set(node.node, node.state)
        progress.line(`${describeNode(node)} (${duration(now() - startedAt)})`)
      }
      progress.update(describeWaiting(rollout))
    },
  }
}

/** What is waited for, in one line; empty if nothing is. */
export function describeWaiting({ nodes, desired, reason, state }: Rollout): string {
  if (state !== 'waiting') return ''
  if (desired === undefined) return printable(reason?.message ?? 'waiting for the cluster to act on it')
  const waiting = nodes.filter(({ state }) => state !== 'ready' && state !== 'failed')
  const first = waiting.find((node) => node.reason !== undefined) ?? waiting[0]
  const detail = reason?.message ?? (first === undefined ? undefined : describeNode(first))
  const missing = Math.max(desired - nodes.length, 0) + waiting.length
  // All of them are ready, and the DaemonSet's controller is about to know.
  if (missing === 0) return ''
  const head = `waiting for ${missing} of ${count(desired, 'node')}`
  return detail === undefined ? head : `${head}: ${detail}`
}

function describeNode({ node, state, reason }: NodeProgress): string {
  return printable(`${node}: ${reason?.message ?? words[state]}`)
}
