import * as v from 'valibot'
import type { KubeClient } from '../../kube/client.ts'
import { ApiError } from '../../kube/errors.ts'
import type { ReflectEvent } from '../../kube/reflector.ts'
import type { KubeObject } from '../../kube/resource.ts'

interface Kept<S extends v.GenericSchema> {
  readonly schema: S
  readonly changed: () => void
}

/** Keeps what a reflector tells of in a map by uid, those that changed last at its end. */
export function keepIn<S extends v.GenericSchema>(
  map: Map<string, v.InferOutput<S>>,
  { schema, changed }: Kept<S>,
): (event: ReflectEvent<KubeObject>) => void {
  const put = (object: KubeObject) => {
    const uid = object.metadata?.uid ?? ''
    map.delete(uid)
    map.set(uid, v.parse(schema, object))
  }
  return (event) => {
    if (event.type === 'state') return
    if (event.type === 'synced') event.items.forEach(put)
    else if (event.type === 'deleted') map.delete(event.object.metadata?.uid ?? '')
    else put(event.object)
    changed()
  }
}

/** Tells one telling of an event from the next: a repeated one is the same object in a new version. */
export function versionOf({ metadata }: KubeObject): string {
  return `${metadata?.uid}/${metadata?.resourceVersion}`
}

/** The events that are in a namespace now; none if it is not there, or they may not be read. */
export async function listEventVersions(client: KubeClient, namespace: string): Promise<Set<string>> {
  try {
    const { items } = await client.listAll({ apiVersion: 'v1', plural: 'events', namespace })
    return new Set(items.map(versionOf))
  } catch (error) {
    if (error instanceof ApiError && ['FORBIDDEN', 'NOT_FOUND'].includes(error.code)) return new Set()
    throw error
  }
}
