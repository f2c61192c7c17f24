import { concernsVolume, type Operation, type Outcome } from '../operation.ts'
import type { Bin } from '../trash/bin.ts'
import { carryOut } from './carry-out.ts'
import type { ContentReader } from './content.ts'
import { DirCursor } from './dir-cursor.ts'
import { Pace } from './pace.ts'
import { attempt, explained, placeOf } from './place.ts'
import { Receiving } from './receive.ts'
import type { Site } from './site.ts'
import { Staging } from './staging.ts'

export interface ApplyingOptions {
  readonly site: Site
  /** The content of the puts, in their order. */
  readonly content: ContentReader
  /** Takes what is removed or replaced; whoever made it closes it. */
  readonly bin: Bin
  readonly onOutcome: (outcome: Outcome) => void
  /** Says when what is left is not to be carried out any more. */
  readonly signal: AbortSignal
}

/**
 * Carries out operations, each only if what is on disk is what it was decided on. Ends early, and leaves the rest of the
 * content, when the volume takes nothing more. Rejects when the content fails; every operation that was carried out
 * has been told of then.
 * @returns whether all of it was tried
 */
export async function apply(operations: readonly Operation[], options: ApplyingOptions): Promise<boolean> {
  const { site, content, bin, onOutcome, signal } = options
  const cursor = new DirCursor()
  const pace = new Pace()
  const report = (outcome: Outcome) => {
    if (outcome.result === 'stale') site.suspect(outcome.path)
    onOutcome(outcome)
  }
  const staging = new Staging({ site, cursor, report })
  const receiving = new Receiving({ site, cursor, content, bin, staged: () => staging.open })
  const act = (operation: Operation): Outcome | Promise<Outcome> => {
    if (operation.op === 'put' && operation.original !== undefined) return receiving.putCopy(operation)
    if (operation.op === 'put') return receiving.putWhole(operation) ?? receiving.put(operation)
    const { path } = operation
    return attempt(path, () => {
      const place = placeOf({ site, cursor, staged: staging.open }, operation)
      return { result: 'done', path, entry: carryOut({ site, bin }, place, operation) }
    })
  }
  try {
    for (const [i, operation] of operations.entries()) {
      if (pace.due) {
        // While something is awaited, directories may be moved, but for one that nobody knows yet.
        if (staging.open === undefined) cursor.release()
        await pace.rest()
      }
      if (signal.aborted) return false
      if (staging.begins(operation, operations[i + 1])) continue
      const acting = act(operation)
      const outcome = acting instanceof Promise ? await acting : acting
      if (staging.open !== undefined) staging.add(outcome)
      else report((outcome.result === 'stale' && explained({ site, cursor }, operation)) || outcome)
      if (outcome.result === 'failed' && concernsVolume(outcome.problem)) return false
    }
    return true
  } finally {
    staging.publish()
    cursor.release()
  }
}
