import { errnoOf, KubesyncError, messageOf } from '../../errors.ts'
import { identityOf, nameOf } from '../order/references.ts'
import type { Session } from '../session.ts'
import { equal, type JsonMap } from '../value.ts'
import { type Bell, openBell } from './bell.ts'
import { type Following, openFollowing } from './follow.ts'
import { type Look, lookAt } from './look.ts'
import { type Answer, keyOf, nothing, pauseAfter } from './memory.ts'
import { type Passed, pass } from './pass.ts'
import { added, conflictOf, conflictsOf, statusOf, type Tally } from './report.ts'
import type { Keeping, KeepOptions, KeepSide } from './status.ts'

/** Milliseconds to the next try where something could not be looked at: at first, and at most. */
const [soonMs, longestMs] = [2000, 10_000]

/** What is at hand while a folder is kept. */
interface Desk {
  readonly session: Session
  readonly options: KeepOptions
  readonly bell: Bell
  readonly look: Look
  readonly following: Following
  readonly state: State
}

interface State {
  passed: Passed | undefined
  /** Why the last passes failed, and how many. */
  trouble: { readonly reason: string; readonly attempts: number }
  tally: Tally
  /** Answers that no pass has heard yet, and who waits for that. */
  readonly said: Map<string, Answer>
  asked: readonly (() => void)[]
}

/**
 * Keeps a folder and a cluster in step until the signal: what changed on one side since both agreed is carried to the other, by the same
 * plan and outcome as `pull` and `push`. What is in files is followed, and unless the mode is `to-cluster` also what people make of
 * those kinds, in those namespaces, from then on. Conflicts and deletions wait for an answer unless the policy has one.
 */
export function keepInStep(session: Session, options: KeepOptions): Keeping {
  const bell = openBell()
  const tally = { files: 0, cluster: 0, last: [] }
  const state: State = {
    passed: undefined,
    trouble: { reason: '', attempts: 0 },
    tally,
    said: new Map(),
    asked: [],
  }
  const look = lookAt(session, () => bell.call())
  const following = openFollowing(session.client, (...change) => {
    if (isNews(session, state.passed, change)) bell.call()
  })
  const desk = { session, options, bell, look, following, state }
  let status = statusNow(desk, '')
  const tell = (ended: string) => {
    const now = statusNow(desk, ended)
    if (JSON.stringify(now) === JSON.stringify(status)) return
    status = now
    options.onStatus(now)
  }
  const close = () => {
    look.close()
    following.close()
    for (const resolve of state.asked) resolve()
  }
  return {
    status: () => status,
    async resolve(id, side) {
      for (const [key, answer] of answersTo(state.passed, id, side)) state.said.set(key, answer)
      const heard = new Promise<void>((resolve) => {
        state.asked = [...state.asked, resolve]
      })
      bell.call(0)
      await heard
    },
    done: run(desk, tell).finally(close),
  }
}

async function run(desk: Desk, tell: (ended: string) => void): Promise<void> {
  const { session, options, bell, look, state } = desk
  const { signal } = options
  signal.addEventListener('abort', () => bell.call(0), { once: true })
  bell.call(0)
  let ended = ''
  while (ended === '') {
    await bell.rung()
    if (signal.aborted) break
    const waiting = state.asked
    let isWhole = true
    try {
      // No half of another command's change is taken for somebody's.
      isWhole = await session.exclusively(() => round(desk))
      state.trouble = { reason: '', attempts: 0 }
    } catch (error) {
      if (signal.aborted) break
      if (!(error instanceof KubesyncError) && errnoOf(error) === undefined) throw error
      const attempts = state.trouble.attempts + 1
      state.trouble = { reason: messageOf(error), attempts }
      bell.call(Math.min(pauseAfter(attempts), longestMs))
    }
    bell.call(look.every())
    ended = reasonToStop(options, state.passed)
    tell(ended)
    if (!isWhole) continue
    state.asked = state.asked.slice(waiting.length)
    for (const resolve of waiting) resolve()
  }
  if (ended === '') tell('it was ended')
}

/** One pass over what is there now; whether nothing was left out of it because it was still being written. */
async function round({ session, options, bell, look, following, state }: Desk): Promise<boolean> {
  const memory = state.passed?.memory ?? nothing
  const heard = [...state.said]
  const answers = new Map([...memory.answers, ...heard])
  const { folder, unsettled } = await look.read()
  const { mode, layout, signal } = options
  const sight = { folder, following, unsettled, bringsNew: mode !== 'to-cluster', layout }
  const about = { sight, policy: options, memory: { ...memory, answers }, signal }
  const passed = await pass(session, { ...about, now: Date.now() })
  state.passed = passed
  for (const [key] of heard) state.said.delete(key)
  state.tally = added(state.tally, passed.writes)
  const now = Date.now()
  const setbacks = [...passed.memory.setbacks.values()].map(({ until }) => until)
  const due = [passed.decision.next, ...setbacks].filter((at) => at > now)
  bell.call(Math.min(...due) - now)
  if (unsettled.size > 0) bell.call()
  else if (passed.survey.isPartial) bell.call(soonMs)
  return unsettled.size === 0
}

function statusNow({ session, options, look, following, state }: Desk, ended: string) {
  const { passed, tally, trouble } = state
  const about = { session, policy: options, folder: look.folder(), passed, tally }
  return statusOf({ ...about, away: following.away(), trouble: trouble.reason, ended })
}

/** Whether an object came, went, or changed in what anybody keeps in a file; controllers write status all the time. */
function isNews(
  session: Session,
  kept: Passed | undefined,
  [before, now]: readonly (JsonMap | undefined)[],
): boolean {
  const identity = now === undefined ? undefined : identityOf(now)
  if (before === undefined || now === undefined || identity === undefined) return true
  if (kept?.survey.extents.has(nameOf(identity)) === false) return false
  return !equal(session.clean(before, undefined), session.clean(now, undefined))
}

/** What an answer says of each difference that it is about. NO_SUCH_CONFLICT where nobody asked that. */
function answersTo(passed: Passed | undefined, id: string, side: KeepSide): [string, Answer][] {
  const { questions, halt } = passed?.decision ?? { questions: [], halt: undefined }
  const isAsked = passed !== undefined && conflictsOf(passed.decision).some((one) => one.id === id)
  if (!isAsked) {
    throw new KubesyncError('NO_SUCH_CONFLICT', `there is no conflict ${id}`, {
      hint: 'it may have been settled meanwhile; `ksync conflicts` lists them',
    })
  }
  const meant = halt?.deletions ?? questions.filter((one) => conflictOf(one).id === id)
  return meant.map(({ plan, difference }) => {
    const { local, remote } = difference
    return [keyOf(plan.id, difference), { side, local, remote }]
  })
}

function reasonToStop({ onConflict }: KeepOptions, passed: Passed | undefined): string {
  const conflict = passed?.decision.questions.find(({ kind }) => kind === 'conflict')
  if (onConflict !== 'stop' || conflict === undefined) return ''
  return `${conflict.plan.id} ${conflict.difference.id}: ${conflict.why}`
}
