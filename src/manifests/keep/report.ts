import { createHash } from 'node:crypto'
import { withoutSecrets } from '../secrets/hide.ts'
import type { Session } from '../session.ts'
import type { Folder } from '../survey/folder.ts'
import { isMap, type Json } from '../value.ts'
import { toYaml } from '../yaml/output.ts'
import type { Decision, Question } from './decide.ts'
import type { Unfollowed } from './follow.ts'
import { keyOf } from './memory.ts'
import type { Passed } from './pass.ts'
import type { KeepConflict, KeepPolicy, KeepProblem, KeepStatus, KeepWrite } from './status.ts'

/** What is known when a status is told. */
export interface Told {
  readonly session: Session
  readonly policy: KeepPolicy
  readonly folder: Folder | undefined
  readonly passed: Passed | undefined
  readonly tally: Tally
  /** What cannot be followed. */
  readonly away: readonly Unfollowed[]
  /** Why the last pass failed; else empty. */
  readonly trouble: string
  /** Why it ended; else empty. */
  readonly ended: string
}

/** What was written since it began. */
export interface Tally {
  readonly files: number
  readonly cluster: number
  readonly last: readonly KeepWrite[]
}

/** So many of the last writes are told. */
const lastOfThem = 20

export function added({ files, cluster, last }: Tally, writes: readonly KeepWrite[]): Tally {
  const inFiles = writes.filter(({ where }) => where === 'file').length
  return {
    files: files + inFiles,
    cluster: cluster + writes.length - inFiles,
    last: [...last, ...writes].slice(-lastOfThem),
  }
}

/** How folder and cluster stand, for people. Pure. */
export function statusOf(told: Told): KeepStatus {
  const { session, policy, folder, passed, tally } = told
  const { root, cluster } = session
  return {
    ...stateOf(told),
    ...{ mode: policy.mode, root, cluster, objects: folder?.objects.length ?? 0 },
    drift: passed?.decision.drift ?? 0,
    writes: { files: tally.files, cluster: tally.cluster },
    lastWrites: tally.last,
    conflicts: passed === undefined ? [] : conflictsOf(passed.decision),
    left: (passed?.decision.left ?? []).map(({ plan: { id }, field, reason }) => ({
      resource: id,
      field,
      reason,
    })),
    problems: problemsOf(told),
  }
}

function stateOf({ passed, away, trouble, ended }: Told): Pick<KeepStatus, 'state' | 'reason'> {
  const [gone] = away.filter(({ isRefused }) => !isRefused)
  const halt = passed?.decision.halt
  if (ended !== '') return { state: 'stopped', reason: ended }
  if (trouble !== '' || gone !== undefined) return { state: 'away', reason: trouble || (gone?.reason ?? '') }
  if (halt !== undefined) return { state: 'halted', reason: halt.why }
  if (passed === undefined || passed.survey.isPartial) return { state: 'starting', reason: '' }
  return { state: passed.decision.questions.length > 0 ? 'waiting' : 'in-step', reason: '' }
}

function problemsOf({ folder, passed, away }: Told): KeepProblem[] {
  const broken = (folder?.remarks ?? []).filter(({ isProblem }) => isProblem)
  // What failed once, because something moved, is done the next time.
  const failed = [...(passed?.memory.setbacks ?? [])].filter(([, { attempts }]) => attempts > 1)
  return [
    ...broken.map(({ file, line, reason }) => ({
      about: line === undefined ? file : `${file}:${line}`,
      reason,
    })),
    ...(passed?.survey.problems ?? []),
    ...away.filter(({ isRefused }) => isRefused).map(({ about, reason }) => ({ about, reason })),
    ...failed.map(([about, { reason }]) => ({ about, reason })),
  ]
}

/** The questions of a decision as they are told; where all is halted, that one alone. */
export function conflictsOf({ questions, halt }: Decision): KeepConflict[] {
  if (halt === undefined) return questions.map(conflictOf)
  const about = { resource: '', file: '', field: '', local: undefined, remote: undefined }
  const kind = 'many-deleted'
  return [{ id: idOf(kind), kind, ...about, why: halt.why, answers: meanings[kind] }]
}

/** What each answer does. */
const meanings: Readonly<Record<KeepConflict['kind'], string>> = {
  conflict: '`local` writes the value of the file to the cluster, `remote` that of the cluster to the file',
  'deleted-here': '`local` deletes it in the cluster, `remote` brings the file back',
  'deleted-there': '`local` makes it again in the cluster, `remote` takes it out of its file',
  'many-deleted': '`local` makes the cluster as the folder is, `remote` the folder as the cluster is',
}

export function conflictOf({ kind, plan, difference, why }: Question): KeepConflict {
  const { id, local, remote, isSecret } = difference
  return {
    ...{ id: idOf(keyOf(plan.id, difference)), kind, resource: plan.id, file: plan.place.file, field: id },
    local: shown(local, isSecret),
    remote: shown(remote, isSecret),
    ...{ why, answers: meanings[kind] },
  }
}

/** Short enough to be typed. */
function idOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 8)
}

function shown(value: Json | undefined, isSecret: boolean): string | undefined {
  if (value === undefined) return undefined
  if (isMap(value) && value.kind === 'Secret') return toYaml(withoutSecrets(value)).trimEnd()
  if (isSecret) return '(secret)'
  return typeof value === 'string' ? value : toYaml(value).trimEnd()
}
