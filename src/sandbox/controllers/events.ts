import { createHash } from 'node:crypto'
import { ApiFailure } from '../failure.ts'
import type { KubeObject } from '../object.ts'
import type { Writer } from '../writer.ts'

export interface Occurrence {
  readonly reason: string
  readonly message: string
  readonly type?: 'Normal' | 'Warning'
  /** Who tells: `deployment-controller`, unless it is the controller of the object's kind. */
  readonly source?: string
}

const eventsKey = 'events'

/** Tells what happened to an object, as `kubectl describe` shows it. The same again counts up. */
export function recordEvent(writer: Writer, about: KubeObject, occurrence: Occurrence): void {
  const { reason, message, type = 'Normal' } = occurrence
  const { namespace = 'default', name, uid = '' } = about.metadata
  const component = occurrence.source ?? `${about.kind.toLowerCase()}-controller`
  const hash = createHash('sha256')
    .update(`${uid} ${component} ${reason} ${message}`)
    .digest('hex')
    .slice(0, 16)
  const key = { resource: eventsKey, namespace, name: `${name}.${hash}` }
  const lastTimestamp = new Date().toISOString().replace(/\.\d+/, '')
  const again = writer.change(key, (event) => ({ ...event, count: Number(event.count) + 1, lastTimestamp }))
  if (again !== undefined) return
  const involvedObject = { ...reference(about), namespace, name, uid }
  try {
    writer.create({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: key.name, namespace },
      ...{ involvedObject, reason, message, type, count: 1, firstTimestamp: lastTimestamp, lastTimestamp },
      ...{ source: { component }, reportingComponent: component },
    })
  } catch (error) {
    // A namespace that goes away takes no more events; nobody would read them.
    if (!(error instanceof ApiFailure)) throw error
  }
}

function reference({ apiVersion, kind, metadata }: KubeObject): Record<string, unknown> {
  const { resourceVersion } = metadata
  return { apiVersion, kind, ...(resourceVersion === undefined ? {} : { resourceVersion }) }
}
