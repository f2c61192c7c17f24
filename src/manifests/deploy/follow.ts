import { ApiError } from '../../kube/errors.ts'
import { rolloutOf } from '../carry/rollout.ts'
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
  /** Since when it is all up. */
  let up: number | undefined
  let since: { readonly what: string; readonly at: number } | undefined
  const lasts = (what: string) => {
    if (since?.what !== what) since = { what, at: Date.now() }
    return Date.now() - since.at > patienceMs
  }
  const isReady = async (now: JsonMap | undefined) => {
    if (now === undefined) return { state: 'failed', reason: 'it was deleted meanwhile' } as const
    const progress = rolloutOf(now)
    if (progress.state === 'failed') return progress
    const pods = await podsOf(session, now)
    const fresh = pods.filter((pod) => !before.has(uidOf(pod)))
    if (progress.state === 'ready') {
      up ??= Date.now()
      if (fresh.length === 0 || Date.now() - up >= steadyMs) return progress
      return { state: 'waiting', words: 'it is up, and has to stay up for a moment' } as const
    }
    up = undefined
    const troubles = (fresh.length > 0 ? fresh : pods).flatMap((pod) => troubleOf(pod) ?? [])
    trouble = troubles.find(({ isStuck }) => isStuck) ?? troubles[0]
    const refusal = refusalOf(now)
    const isNew = fresh.length > 0
    if (trouble?.isStuck === true && (isNew || lasts('stuck')))
      return { state: 'failed', reason: wordsOf(trouble) } as const
    if (refusal !== undefined && lasts(refusal)) return { state: 'failed', reason: refusal } as const
    if (trouble?.reason === 'ErrImagePull' && lasts('ErrImagePull')) {
      return { state: 'failed', reason: wordsOf(trouble) } as const
    }
    const words = refusal ?? (trouble === undefined ? undefined : wordsOf(trouble))
    return {
      state: 'waiting',
      words: words === undefined ? progress.words : `${progress.words}; ${words}`,
    } as const
  }
  const reason = await waitFor(session, object, { isReady, options })
  return reason === '' ? undefined : { reason, trouble }
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
