import { setTimeout as delay } from 'node:timers/promises'
import { ApiError } from '../../kube/errors.ts'
import { asMap } from '../live/fetch.ts'
import type { Facts } from '../plan/make.ts'
import type { Session } from '../session.ts'
import type { JsonMap } from '../value.ts'
import type { Progress } from './rollout.ts'

export interface WaitOptions {
  readonly timeoutMs: number
  readonly signal: AbortSignal
  onProgress(words: string): void
}

/** Between two looks at an object, in milliseconds: the first pause, which doubles up to the last. Most are ready at once. */
const pauseMs = { first: 50, last: 1000 }

interface Waiting {
  readonly isReady: (object: JsonMap | undefined) => Progress | Promise<Progress>
  readonly options: WaitOptions
}

/** Looks at an object until it is ready; why it is not, or an empty text. */
export async function waitFor(
  session: Session,
  facts: Pick<Facts, 'identity' | 'apiVersion'>,
  { isReady, options }: Waiting,
): Promise<string> {
  const { kind, name, namespace } = facts.identity
  const until = Date.now() + options.timeoutMs
  for (let pause = pauseMs.first; ; pause = Math.min(2 * pause, pauseMs.last)) {
    const object = await session.client
      .get({ apiVersion: facts.apiVersion, kind, name, namespace })
      .then(asMap, (error: unknown) => {
        if (error instanceof ApiError && error.status.code === 404) return undefined
        throw error
      })
    const progress = await isReady(object)
    if (progress.state === 'ready') return ''
    if (progress.state === 'failed') return progress.reason
    const words = `${kind} ${name}: ${progress.words}`
    if (Date.now() > until) return `not ready after ${options.timeoutMs / 1000} s: ${progress.words}`
    options.onProgress(`waiting for ${words}`)
    await delay(pause, undefined, { signal: options.signal })
  }
}
