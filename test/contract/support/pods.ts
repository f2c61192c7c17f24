import { setTimeout as delay } from 'node:timers/promises'
import { at, type Fields, list, type Thing, text } from './json.ts'
import { client, type Space } from './suite.ts'
import { became } from './watch.ts'

/** One that the test cluster has; the sandbox does not look at it. */
export const image = 'docker.io/kubesync-test/plain:1'

/** Lasts until it is asked to end, and ends at once then. */
export const untilAsked = 'trap "exit 0" TERM; sleep 3600 & wait'

/** A container that runs a shell script in its root directory. */
export function shell(script: string, more: Fields = {}): Fields {
  return { name: 'main', image, command: ['sh', '-c', script], workingDir: '/', ...more }
}

export function podSpec(containers: readonly Fields[], more: Fields = {}): Fields {
  return { containers, terminationGracePeriodSeconds: 2, automountServiceAccountToken: false, ...more }
}

export interface Wanted {
  readonly space: Space
  readonly name: string
  readonly spec: Fields
  readonly metadata?: Fields
}

export function makePod({ space, name, spec, metadata = {} }: Wanted): Promise<Thing> {
  return client.create(space.path('pods'), { metadata: { ...metadata, name }, spec })
}

/** Makes a pod and waits until all of its containers are ready. */
export async function runPod(wanted: Wanted): Promise<Thing> {
  await makePod(wanted)
  return became(client, podIn(wanted.space, wanted.name), isReady)
}

export function podIn(space: Space, name: string) {
  return { collection: space.path('pods'), name }
}

export function isReady(pod: Thing): boolean {
  return condition(pod, 'Ready') === 'True'
}

/** The status of one of an object's conditions. */
export function condition(object: Thing, type: string): unknown {
  const conditions = at(object, 'status', 'conditions')
  const found = Array.isArray(conditions) ? conditions.find((one) => at(one, 'type') === type) : undefined
  return at(found, 'status')
}

export function inPhase(phase: string) {
  return (pod: Thing) => at(pod, 'status', 'phase') === phase
}

export async function logOf(space: Space, pod: string, query = ''): Promise<string> {
  const answer = await client.ask(`${space.path('pods')}/${pod}/log?${query}`)
  if (answer.code !== 200)
    throw new Error(`the log of ${pod} was answered with ${answer.code}: ${answer.text}`)
  return answer.text
}

/** Waits until that, and nothing else, is in the log: a process that runs need not have said a word yet. */
export async function logBecame(
  space: Space,
  pod: string,
  wanted: { says: string; query?: string },
): Promise<void> {
  const end = Date.now() + 20_000
  for (;;) {
    const said = await logOf(space, pod, wanted.query)
    if (said === wanted.says) return
    if (Date.now() > end) throw new Error(`the log of ${pod} is ${JSON.stringify(said)}`)
    await delay(50)
  }
}

/** The pods that an object controls. */
export async function podsOf(space: Space, selector: string): Promise<Thing[]> {
  const found = await client.get(`${space.path('pods')}?labelSelector=${encodeURIComponent(selector)}`)
  return list(found, 'items').map((pod) => ({ ...(pod as Thing), kind: text(found, 'kind') }))
}
