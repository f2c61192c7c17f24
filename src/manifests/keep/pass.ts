import { carryOut, type Result } from '../carry/carry.ts'
import { prune } from '../carry/remove.ts'
import { removeFromFiles } from '../carry/remove-file.ts'
import { newOperation } from '../journal/journal.ts'
import { fetchObjects } from '../live/fetch.ts'
import type { ResourcePlan, Selection } from '../plan/plan.ts'
import type { Session } from '../session.ts'
import { type Decision, decide } from './decide.ts'
import { learn, type Memory } from './memory.ts'
import type { KeepPolicy, KeepWrite } from './status.ts'
import { type Sight, type Survey, surveyKept } from './survey.ts'

export interface PassOptions {
  readonly sight: Sight
  readonly policy: KeepPolicy
  readonly memory: Memory
  readonly signal: AbortSignal
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** What a pass found, did, and left. */
export interface Passed {
  readonly survey: Survey
  readonly decision: Decision
  readonly memory: Memory
  readonly writes: readonly KeepWrite[]
}

/** Milliseconds that anything is waited for which others need: a namespace, a definition, that something is gone. */
const timeoutMs = 10_000

/** One look at everything that is known, and what is to be done of it; in the journal, one operation. */
export async function pass(
  kept: Session,
  { sight, policy, memory, signal, now }: PassOptions,
): Promise<Passed> {
  const operation = newOperation('daemon')
  const { journal } = kept
  const session: Session = {
    ...kept,
    journal: { ...journal, begin: (writes) => journal.begin(writes, operation) },
  }
  const survey = await surveyKept(session, sight)
  const { plan } = survey.prepared
  const decision = decide(plan.resources, { policy, memory, autoscaled: survey.autoscaled, now })
  const isOver = policy.onConflict === 'stop' && decision.questions.some(({ kind }) => kind === 'conflict')
  if (isOver) return { survey, decision, memory, writes: [] }
  const selection = await withoutSurprises(session, survey, decision)
  const results = await writeAll(session, { survey, selection, decision, signal })
  for (const { id, live } of results) {
    const extent = survey.extents.get(id)
    if (extent !== undefined && live !== undefined) sight.following.saw(extent, live)
  }
  const failed = new Map(results.flatMap(({ id, reason }) => (reason === '' ? [] : [[id, reason] as const])))
  const carried = new Map([...decision.carried].filter(([key]) => selection.has(key.split('\0')[0] ?? '')))
  return {
    ...{ survey, decision },
    memory: learn(memory, { plans: plan.resources, carried, failed, now }),
    writes: results.flatMap((result) => writeOf(result, decision, plan.resources)),
  }
}

interface Writing {
  readonly survey: Survey
  readonly selection: Selection
  readonly decision: Decision
  readonly signal: AbortSignal
}

/** Fields and new objects first, then what is to go. */
async function writeAll(
  session: Session,
  { survey, selection, decision, signal }: Writing,
): Promise<Result[]> {
  const { prepared } = survey
  const wait = { timeoutMs, signal, onProgress() {} }
  const options = { ...wait, waits: false, replaceable: new Set<string>() }
  const results = await carryOut(session, { prepared, selection }, options)
  const gone = decision.removals.flatMap(({ plan: { id }, from }) => {
    const one = prepared.facts.get(id)
    return one === undefined ? [] : [{ id, from, one }]
  })
  const fromFiles = gone.filter(({ from }) => from === 'file').map(({ one }) => one)
  const orphans = gone.flatMap(({ id, from, one: { live, ...one } }) => {
    const file = `${session.root}/${one.place.file}`
    return from === 'cluster' && live !== undefined ? [{ id, file, facts: { ...one, live } }] : []
  })
  return [
    ...results,
    ...(await removeFromFiles(session, fromFiles, prepared.texts)),
    ...(await prune(session, orphans, wait)),
  ]
}

/** What is to be made in the cluster and was made by somebody else meanwhile is not: it would be changed unseen. */
async function withoutSurprises(
  session: Session,
  { prepared, extents }: Survey,
  { selection }: Decision,
): Promise<Selection> {
  const created = [...selection.keys()].flatMap((id) => {
    const [facts, extent] = [prepared.facts.get(id), extents.get(id)]
    if (facts === undefined || facts.live !== undefined || extent === undefined) return []
    return [{ type: extent.type, identity: facts.identity }]
  })
  const { objects, problems } = await fetchObjects(session.client, created)
  return new Map([...selection].filter(([id]) => !objects.has(id) && !problems.has(id)))
}

function writeOf(
  { id, what, reason }: Result,
  { removals }: Decision,
  plans: readonly ResourcePlan[],
): KeepWrite[] {
  if (reason !== '' || !isWrite(what)) return []
  const file = plans.find((plan) => plan.id === id)?.place.file ?? ''
  const isFromFile = removals.some(({ plan, from }) => plan.id === id && from === 'file')
  const where = what === 'written' || (what === 'deleted' && isFromFile) ? 'file' : 'cluster'
  return [{ at: new Date().toISOString(), where, resource: id, file, what }]
}

function isWrite(what: Result['what']): what is KeepWrite['what'] {
  return ['created', 'changed', 'written', 'deleted'].includes(what)
}
