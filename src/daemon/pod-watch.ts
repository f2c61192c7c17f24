import type { KubeClient } from '../kube/client.ts'
import { type ReflectEvent, reflect } from '../kube/reflector.ts'
import { resourcePath } from '../kube/resource.ts'
import { type Pod, readPod } from './pods.ts'
import type { PodQuery, PodsEvent } from './world.ts'

/** Follows pods until it is stopped; every event has all that match now. */
export function watchPods(
  client: KubeClient,
  query: PodQuery,
  listener: (event: PodsEvent) => void,
): () => void {
  const over = new AbortController()
  const known = new Map<string, Pod>()
  const options = {
    path: resourcePath({ apiVersion: 'v1', plural: 'pods', namespace: query.namespace }),
    labelSelector: query.selector,
    fieldSelector: query.pod === undefined ? undefined : `metadata.name=${query.pod}`,
    signal: over.signal,
  }
  const tell = (event: PodsEvent) => {
    if (!over.signal.aborted) listener(event)
  }
  reflect(client, options, (event) => tell(fold(known, event))).catch((error) =>
    tell({ type: 'unreachable', error }),
  )
  return () => over.abort()
}

function fold(known: Map<string, Pod>, event: ReflectEvent<unknown>): PodsEvent {
  switch (event.type) {
    case 'state':
      return event.state === 'connected' ? { type: 'reachable' } : { type: 'unreachable', error: event.error }
    case 'synced':
      for (const item of event.items) put(known, readPod(item))
      break
    case 'deleted':
      known.delete(readPod(event.object)?.uid ?? '')
      break
    default:
      put(known, readPod(event.object))
  }
  return { type: 'pods', pods: [...known.values()] }
}

function put(known: Map<string, Pod>, pod: Pod | undefined): void {
  if (pod !== undefined) known.set(pod.uid, pod)
}
