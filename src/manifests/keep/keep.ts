import { existsSync } from 'node:fs'
import { errnoOf, KubesyncError, messageOf } from '../../errors.ts'
import { identityOf, nameOf } from '../order/references.ts'
import type { Session } from '../session.ts'
import { type Folder, surveyFolder } from '../survey/folder.ts'
import { equal, type JsonMap } from '../value.ts'
import { openBell } from './bell.ts'
import { openFollowing } from './follow.ts'
import { type Answer, keyOf, nothing, pauseAfter } from './memory.ts'
import { type Passed, pass } from './pass.ts'
import { added, conflictOf, conflictsOf, statusOf, type Tally } from './report.ts'
import type { Keeping, KeepOptions, KeepSide } from './status.ts'
import { watchFolder } from './watch-folder.ts'

/** Milliseconds between two looks at all files, for what no watch tells; the second where something has no watch. */
const sweepMs = 60_000
const blindMs = 2000
/** Milliseconds at most to the next try, where nothing can be looked at. */
const longestMs = 10_000
/** Milliseconds for which a file must have been left alone before it is believed. */
const settledMs = 100

/**
 * Keeps a folder and a cluster in step until the signal: what changed on one side since both agreed is carried to the other, by the same
 * plan and outcome as `pull` and `push`. What is in files is followed, and unless the mode is `to-cluster` also what people make of
 * those kinds, in those namespaces, from then on. Conflicts and deletions wait for an answer unless the policy has one.
 */
export function keepInStep(session: Session, options: KeepOptions): Keeping {
  const bell = openBell()
  const look = lookAt(session, () => bell.call())
  let passed: Passed | undefined
  const following = openFollowing(session.client, (...change) => {
    if (isNews(session, passed, change)) bell.call()
  })
  let trouble = { reason: '', attempts: 0 }
  let tally: Tally = { files: 0, cluster: 0, last: [] }
  const said = new Map<string, Answer>()
  let asked: (() => void)[] = []

  const stand = (ended: string) => {
    const about = { session, policy: options, folder: look.folder(), passed, tally }
    return statusOf({ ...about, away: following.away(), trouble: trouble.reason, ended })
  }
  let status = stand('')
  const tell = (ended: string) => {
    const now = stand(ended)
    if (JSON.stringify(now) === JSON.stringify(status)) return
    status = now
    options.onStatus(now)
  }
  const round = async () => {
    const memory = passed?.memory ?? nothing
    const heard = [...said]
    const answers = new Map([...memory.answers, ...heard])
    const { folder, unsettled } = await look.read()
    const bringsNew = options.mode !== 'to-cluster'
    const sight = { folder, following, unsettled, bringsNew, layout: options.layout }
    passed = await pass(session, {
      sight,
      policy: options,
      memory: { ...memory, answers },
      signal: options.signal,
      now: Date.now(),
    })
    for (const [key] of heard) said.delete(key)
    tally = added(tally, passed.writes)
    const { decision, memory: learned } = passed
    const now = Date.now()
    const due = [decision.next, ...[...learned.setbacks.values()].map(({ until }) => until)]
    bell.call(Math.min(...due.filter((at) => at > now)) - now)
    if (unsettled.size > 0) bell.call()
    else if (passed.survey.isPartial) bell.call(blindMs)
    return unsettled.size === 0
  }
  const run = async () => {
    options.signal.addEventListener('abort', () => bell.call(0), { once: true })
    bell.call(0)
    let ended = ''
    while (!options.signal.aborted && ended === '') {
      await bell.rung()
      if (options.signal.aborted) break
      const waiting = asked
      asked = []
      let isWhole = true
      try {
        // No half of another command's change is taken for somebody's.
        isWhole = await session.exclusively(round)
        trouble = { reason: '', attempts: 0 }
      } catch (error) {
        if (options.signal.aborted) break
        if (!(error instanceof KubesyncError) && errnoOf(error) === undefined) throw error
        trouble = { reason: messageOf(error), attempts: trouble.attempts + 1 }
        bell.call(Math.min(pauseAfter(trouble.attempts), longestMs))
      }
      bell.call(look.every())
      ended = reasonToStop(options, passed)
      tell(ended)
      if (isWhole) for (const resolve of waiting) resolve()
      else asked.push(...waiting)
    }
    if (ended === '') tell('it was ended')
  }
  const close = () => {
    look.close()
    following.close()
    for (const resolve of asked) resolve()
  }
  return {
    status: () => status,
    async resolve(id, side) {
      for (const [key, answer] of answersTo(passed, id, side)) said.set(key, answer)
      const done = new Promise<void>((resolve) => asked.push(resolve))
      bell.call(0)
      await done
    },
    done: run().finally(close),
  }
}

/** The folder, read again when it changed. */
function lookAt({ root, ...session }: Session, onChange: () => void) {
  const touched = new Map<string, number>()
  let folder: Folder | undefined
  let readAt = Number.NEGATIVE_INFINITY
  const watch = watchFolder(root, (path) => {
    readAt = Number.NEGATIVE_INFINITY
    touched.set(path, performance.now())
    onChange()
  })
  const every = () => (watch.isBlind() ? blindMs : sweepMs)
  const read = async () => {
    if (!existsSync(root)) throw new KubesyncError('NO_SUCH_DIRECTORY', `${root} is not there`)
    const now = performance.now()
    const before = readAt
    readAt = now
    try {
      await watch.refresh()
      return await surveyFolder({ ...session, root }, ['.'])
    } catch (error) {
      readAt = before
      throw error
    }
  }
  return {
    folder: () => folder,
    /** Milliseconds until it is to be looked at again, though nothing is told. */
    every,
    close: watch.close,
    async read() {
      // A kind that the server did not have may have come since.
      const isStrange = folder?.objects.some(({ type }) => type === undefined) === true
      const isOld = performance.now() - readAt >= every()
      if (folder === undefined || isOld || isStrange) folder = await read()
      const settled = performance.now() - settledMs
      for (const [path, at] of touched) if (at < settled) touched.delete(path)
      return { folder, unsettled: new Set(touched.keys()) }
    },
  }
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
