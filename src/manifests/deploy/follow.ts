import { ApiError } from '../../kube/errors.ts'
import { type Progress, rolloutOf } from '../carry/rollout.ts'
import { type WaitOptions, waitFor } from '../carry/wait.ts'
import { asMap } from '../live/fetch.ts'
import { valueAt } from '../path.ts'
import type { Facts } from '../plan/make.ts'
import type { Session } from '../session.ts'
import type { JsonMap } from '../value.ts'
import { refusalOf, selectorOf, type Trouble, troubleOf } from './trouble.ts'

type Object = Pick<Facts, 'identity' | 'apiVersion'>

/** How a rollout failed. */
export interface Failure {
  readonly reason: string
  /** Of the pods that came with it, the first that does not come up. */
  readonly trouble: Trouble | undefined
}

/** How long what may pass by itself is waited for, in milliseconds: a registry that stutters, a quota that old pods still use. */
const patienceMs = 5000

/** How long new pods have to stay up, in milliseconds: without a probe, one that ends at once was ready for a blink. */
const steadyMs = 2000

/**
 * Waits for a rollout; how it failed, or undefined. It has failed as soon as a new pod says that it cannot come up.
 *
 * @param before the uids of the pods that were there before, as `podsOf` has them: what is wrong with those is not the rollout's doing.
 */
export async function followRollout(
  session: Session,
  { object, before }: { object: Object; before: ReadonlySet<string> },
  options: WaitOptions,
): Promise<Failure | undefined> {
  let trouble: Trouble | undefined
  let since: { readonly what: string; readonly at: number } | undefined
  const lastsFor = (what: string) => {
    if (since?.what !== what) since = { what, at: Date.now() }
    return Date.now() - since.at
  }
  const isReady = async (now: JsonMap | undefined): Promise<Progress> => {
    if (now === undefined) return { state: 'failed', reason: 'it was deleted meanwhile' }
    const progress = rolloutOf(now)
    if (progress.state === 'failed') return progress
    const pods = await podsOf(session, now)
    const fresh = pods.filter((pod) => !before.has(uidOf(pod)))
    if (progress.state === 'ready') {
      if (fresh.length === 0 || lastsFor('up') >= steadyMs) return progress
      return { state: 'waiting', words: 'it is up, and has to stay up for a moment' }
    }
    const troubles = (fresh.length > 0 ? fresh : pods).flatMap((pod) => troubleOf(pod) ?? [])
    trouble = troubles.find(({ isStuck }) => isStuck) ?? troubles[0]
    return verdict(progress.words, { trouble, refusal: refusalOf(now), isNew: fresh.length > 0 }, lastsFor)
  }
  const reason = await waitFor(session, object, { isReady, options })
  return reason === '' ? undefined : { reason, trouble }
}

/** What keeps a rollout that is under way. */
interface Obstacle {
  readonly trouble: Trouble | undefined
  /** Why no pods may be made. */
  readonly refusal: string | undefined
  /** Whether the trouble is that of a pod which came with the rollout. */
  readonly isNew: boolean
}

/** Whether a rollout has failed already, or goes on and by which words; `lastsFor` is how long something is so without a break. */
function verdict(
  words: string,
  { trouble, refusal, isNew }: Obstacle,
  lastsFor: (what: string) => number,
): Progress {
  const reason = refusal ?? (trouble === undefined ? undefined : wordsOf(trouble))
  const isBad = refusal !== undefined || trouble?.isStuck === true || trouble?.reason === 'ErrImagePull'
  const isOver = lastsFor(refusal ?? (isBad ? 'trouble' : 'progress')) > patienceMs
  if (reason === undefined) return { state: 'waiting', words }
  const isSure = refusal === undefined && trouble?.isStuck === true && isNew
  if (isSure || (isBad && isOver)) return { state: 'failed', reason }
  return { state: 'waiting', words: `${words}; ${reason}` }
}

function wordsOf({ pod, container, reason, message }: Trouble): string {
  return [`pod ${pod}`, container, reason, message]
    .filter((part) => part !== undefined && part !== '')
    .join(': ')
}

/** The pods that an object's selector means; none where they may not be listed. */
export async function podsOf({ client }: Session, object: JsonMap): Promise<JsonMap[]> {
  const labelSelector = selectorOf(object)
  if (labelSelector === undefined) return []
  const namespace = String(valueAt(object, ['metadata', 'namespace']))
  try {
    const { items } = await client.listAll({ apiVersion: 'v1', plural: 'pods', namespace }, { labelSelector })
    return items.map(asMap)
  } catch (error) {
    if (error instanceof ApiError) return []
    throw error
  }
}

export function uidOf(object: JsonMap): string {
  return String(valueAt(object, ['metadata', 'uid']))
}
