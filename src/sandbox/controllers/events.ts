import { ApiFailure } from '../failure.ts'
import type { KubeObject } from '../object.ts'
import type { Store } from '../store.ts'
import { timestamp } from '../values.ts'
import type { ObjectKey, Writer } from '../writer.ts'

export interface Occurrence {
  readonly reason: string
  readonly message: string
  readonly type?: 'Normal' | 'Warning'
  /** Who tells: `deployment-controller`, unless it is the controller of the object's kind. */
  readonly source?: string
}

/** The events of a store that may happen again, by what they say; the eldest is forgotten first. */
const known = new WeakMap<Store, Map<string, ObjectKey>>()
const remembered = 1000

/** Tells what happened to an object, as `kubectl describe` shows it. The same again counts up. */
export function recordEvent(writer: Writer, about: KubeObject, occurrence: Occurrence): void {
  const { reason, message, type = 'Normal' } = occurrence
  const { namespace = 'default', name, uid = '' } = about.metadata
  const component = occurrence.source ?? `${about.kind.toLowerCase()}-controller`
  const lastTimestamp = timestamp(new Date())
  const before = remember(writer.store, [uid, component, reason, message].join('\n'), {
    resource: 'events',
    namespace,
    // Named by time, as Kubernetes does it: those of one second are shown in this order.
    name: `${name}.${process.hrtime.bigint().toString(16)}`,
  })
  const again = (event: KubeObject) => ({ ...event, count: Number(event.count) + 1, lastTimestamp })
  if (writer.change(before, again) !== undefined) return
  const involvedObject = { ...reference(about), namespace, name, uid }
  try {
    writer.create({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: before.name, namespace },
      ...{ involvedObject, reason, message, type, count: 1, firstTimestamp: lastTimestamp, lastTimestamp },
      ...{ source: { component }, reportingComponent: component },
    })
  } catch (error) {
    // A namespace that goes away takes no more events; nobody would read them.
    if (!(error instanceof ApiFailure)) throw error
  }
}

function remember(store: Store, what: string, key: ObjectKey): ObjectKey {
  const events = known.get(store) ?? new Map<string, ObjectKey>()
  known.set(store, events)
  const found = events.get(what)
  if (found !== undefined) return found
  events.set(what, key)
  const [eldest = ''] = events.keys()
  if (events.size > remembered) events.delete(eldest)
  return key
}

function reference({ apiVersion, kind, metadata }: KubeObject): Record<string, unknown> {
  const { resourceVersion } = metadata
  return { apiVersion, kind, ...(resourceVersion === undefined ? {} : { resourceVersion }) }
}
