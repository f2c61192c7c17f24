import { randomBytes } from 'node:crypto'
import { ApiFailure } from '../failure.ts'
import type { Writer } from '../writer.ts'
import type { Pod } from './pod-spec.ts'
import { timestamp } from './status.ts'

/** What happened to a container, for `kubectl describe`. */
export interface Happening {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
  readonly container: string
}

/** Records an event of a pod; where none can be created any more (the namespace goes), nothing is. */
export function recordEvent(writer: Writer, pod: Pod, { container, ...said }: Happening): void {
  const { name, namespace, uid, resourceVersion } = pod.metadata
  const now = timestamp()
  try {
    writer.create({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${randomBytes(8).toString('hex')}`, namespace },
      involvedObject: {
        ...{ apiVersion: 'v1', kind: 'Pod', name, namespace, uid, resourceVersion },
        fieldPath: `spec.containers{${container}}`,
      },
      ...said,
      source: { component: 'kubelet', host: pod.spec.nodeName },
      ...{ firstTimestamp: now, lastTimestamp: now, count: 1 },
      reportingComponent: 'kubelet',
      reportingInstance: pod.spec.nodeName,
    })
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error
  }
}
