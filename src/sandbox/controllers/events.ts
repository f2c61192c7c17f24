import { createHash } from 'node:crypto'
import type { KubeObject } from '../object.ts'
import { timestamp } from '../values.ts'
import type { Writer } from '../writer.ts'
import { refusal } from './refusal.ts'

export interface Occurrence {
  readonly reason: string
  readonly message: string
  readonly type?: 'Normal' | 'Warning'
  /** Who tells: `deployment-controller`, unless it is the controller of the object's kind. */
  readonly source?: string
}

/** Tells what happened to an object, as `kubectl describe` shows it. The same again counts up. */
export function recordEvent(writer: Writer, about: KubeObject, occurrence: Occurrence): void {
  const { apiVersion, kind } = about
  const { namespace = 'default', name, uid = '' } = about.metadata
  const { reason, message, type = 'Normal', source = `${kind.toLowerCase()}-controller` } = occurrence
  const what = createHash('sha256').update([uid, reason, message].join('\n')).digest('hex').slice(0, 16)
  const metadata = { name: `${name}.${what}`, namespace }
  const lastTimestamp = timestamp(new Date())
  const again = (event: KubeObject) => ({ ...event, count: Number(event.count) + 1, lastTimestamp })
  if (writer.change({ resource: 'events', ...metadata }, again) !== undefined) return
  // A namespace that goes away takes no more events; nobody would read them.
  refusal(() =>
    writer.create({
      ...{ apiVersion: 'v1', kind: 'Event', metadata },
      involvedObject: { apiVersion, kind, namespace, name, uid },
      ...{ reason, message, type, count: 1, firstTimestamp: lastTimestamp, lastTimestamp },
      ...{ source: { component: source }, reportingComponent: source },
    }),
  )
}
