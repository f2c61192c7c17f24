import { KubesyncError } from '../../errors.ts'
import { resourcePath } from '../../kube/resource.ts'
import { readBody } from '../../kube/transport.ts'
import { asMap } from '../live/fetch.ts'
import type { Session } from '../session.ts'
import type { JsonMap } from '../value.ts'
import type { Trouble } from './trouble.ts'

/** What there is to know of a pod that does not come up. */
export interface Evidence {
  /** The last warnings about it: `Failed: manifest unknown`. */
  readonly events: readonly string[]
  /** The last lines that its container wrote. */
  readonly log: readonly string[]
}

const most = { events: 5, lines: 12, bytes: 8192 }

/** Gathers what is known of a pod's trouble; what may not be read is left out. */
export async function evidenceOf(
  session: Session,
  namespace: string,
  trouble: Pick<Trouble, 'pod' | 'container' | 'hasRun'>,
): Promise<Evidence> {
  const [events, log] = await Promise.all([
    eventsOf(session, namespace, trouble.pod),
    trouble.container === undefined
      ? []
      : logOf(session, namespace, { ...trouble, container: trouble.container }),
  ])
  return { events, log }
}

async function eventsOf({ client }: Session, namespace: string, pod: string): Promise<string[]> {
  const ref = { apiVersion: 'v1', plural: 'events', namespace }
  const fieldSelector = `involvedObject.kind=Pod,involvedObject.name=${pod},type=Warning`
  const { items } = await client.listAll(ref, { fieldSelector }).catch(noneIfRefused({ items: [] }))
  const at = (event: JsonMap) => String(event.lastTimestamp ?? event.eventTime ?? '')
  return items
    .map(asMap)
    .sort((a, b) => (at(a) < at(b) ? -1 : 1))
    .slice(-most.events)
    .map(
      ({ reason, message, count }) =>
        `${reason}: ${message}${Number(count ?? 1) > 1 ? ` (${count} times)` : ''}`,
    )
}

interface Logged {
  readonly pod: string
  readonly container: string
  readonly hasRun: boolean
}

async function logOf(session: Session, namespace: string, { hasRun, ...of }: Logged): Promise<string[]> {
  const last = await readLog(session, namespace, { ...of, previous: hasRun })
  return last.length > 0 || !hasRun ? last : readLog(session, namespace, { ...of, previous: false })
}

async function readLog(
  { client }: Session,
  namespace: string,
  { pod, container, previous }: { pod: string; container: string; previous: boolean },
): Promise<string[]> {
  const path = `${resourcePath({ apiVersion: 'v1', plural: 'pods', namespace, name: pod })}/log`
  const query = { container, previous, tailLines: most.lines, limitBytes: most.bytes }
  const text = await client
    .open({ path, query, accept: '*/*' })
    .then((response) => readBody(client.target, response, { idleMs: 10_000 }))
    .catch(noneIfRefused(''))
  return text.split('\n').filter((line) => line !== '')
}

function noneIfRefused<T>(none: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof KubesyncError) return none
    throw error
  }
}
