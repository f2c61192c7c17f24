import type { Result } from '../../manifests/carry/carry.ts'
import type { PushOptions } from '../../manifests/carry/push.ts'
import type { Plan, ResourcePlan, Selection } from '../../manifests/plan/plan.ts'
import type { Session } from '../../manifests/session.ts'
import type { Prepared } from '../../manifests/survey/facts.ts'
import { createProgress } from '../../ui/progress.ts'
import { styleFor } from '../../ui/style.ts'
import { printable } from '../../ui/text.ts'
import type { Cli } from '../io.ts'
import { describeHint } from '../report.ts'
import type { WriteOptions } from './common.ts'
import { forced, isLeft, leavesDisputed, writesCluster } from './forced.ts'
import { openGit } from './git.ts'
import { mayWrite } from './guard.ts'
import { describeOthers, showRemarks, showSummary } from './remarks.ts'
import { showPlan } from './show.ts'

interface Common<P extends Prepared> {
  /** Looks at files and cluster; again, if what was approved is not what is there any more. */
  readonly survey: () => Promise<P>
  readonly options: WriteOptions
  /** Whether to wait for rollouts, and how long for anything, in milliseconds. */
  readonly waits: boolean
  readonly timeoutMs: number
}

type Carry<P> = (chosen: Selected<P>, options: PushOptions) => Promise<Result[]>

/** What was chosen is carried out as push and pull do it, unless a way is given. */
export type Settling<P extends Prepared = Prepared> = Common<P> &
  (
    | { readonly session: Session; readonly carry?: never }
    | { readonly session: Pick<Session, 'root' | 'written'>; readonly carry: Carry<P> }
  )

/** A plan, and what of it is to be carried out. */
interface Selected<P> {
  readonly prepared: P
  readonly selection: Selection
}

/** What was shown last, and what came of it. */
export interface Settled<P> extends Selected<P> {
  readonly results: readonly Result[]
}

/** How often an approval is asked for again, because what was approved moved on. */
const rounds = 5
const disputedHint =
  'what both sides changed, or what another manager holds, was left alone: `--conflicts take` carries it out'
const movedHint = 'what somebody changed meanwhile was left alone: `diff` shows how it is now; then try again'

/** Shows what differs, asks, and carries it out; the exit code says how it ended. */
export async function settle<P extends Prepared>(cli: Cli, settling: Settling<P>): Promise<Settled<P>> {
  const { survey, options } = settling
  const { carryOut } = await import('../../manifests/carry/carry.ts')
  const { mendInterrupted } = await import('./interrupted.ts')
  // Between two folders nothing has a second half.
  if ('client' in settling.session) await mendInterrupted(cli, { session: settling.session, options })
  const carry: Carry<P> =
    settling.carry === undefined ? (chosen, how) => carryOut(settling.session, chosen, how) : settling.carry
  const git = await openGit(cli, settling.session, options)
  for (let round = 1; ; round += 1) {
    const prepared = await survey()
    const { plan } = prepared
    show(cli, plan)
    const chosen = await selectionOf(cli, plan, options)
    const progress = createProgress(cli.io.stderr)
    // What both sides have alike is remembered, whatever the answer is.
    const selection = chosen ?? new Map()
    await git?.before({ prepared, selection })
    const results = await carry(
      { prepared, selection },
      {
        waits: settling.waits,
        timeoutMs: settling.timeoutMs,
        signal: cli.io.signal,
        replaceable: await replaceableOf(cli, plan, chosen),
        onProgress: (words) => progress.update(printable(words)),
      },
    ).finally(() => progress.done())
    report(cli, results)
    const replaced = new Set(results.filter(({ what }) => what === 'replaced').map(({ id }) => id))
    const isOpen = (one: ResourcePlan) => !replaced.has(one.id) && isLeft(one, plan, chosen)
    const isBad =
      plan.problems.some(({ isMinor }) => isMinor !== true) || plan.remarks.some(({ isProblem }) => isProblem)
    cli.exitCode = plan.resources.some(isOpen) || isBad || results.some(({ reason }) => reason !== '') ? 1 : 0
    await git?.after(results, isOpen)
    if (options.force === true && leavesDisputed(plan, selection)) {
      cli.io.stderr.write(describeHint(disputedHint, cli.io.stderr))
    }
    const isMoved = results.some(({ what }) => what === 'moved')
    // Nobody was there to see what it is now: that is left to the next command.
    if (isMoved && options.force === true) cli.io.stderr.write(describeHint(movedHint, cli.io.stderr))
    if (round === rounds || !isMoved || options.force === true) return { prepared, selection, results }
    cli.io.stderr.write('some of it was changed in the cluster meanwhile; this is how it stands now:\n')
  }
}

/** What is to be carried out; undefined if nobody may be asked, or nobody wants it. */
async function selectionOf(cli: Cli, plan: Plan, options: WriteOptions): Promise<Selection | undefined> {
  const isOpen = plan.resources.some(
    ({ state, differences }) => state !== 'same' && state !== 'refused' && differences.length > 0,
  )
  if (!isOpen) return new Map()
  const chosen = options.force === true ? forced(plan, options.conflicts ?? 'leave') : await asked(cli, plan)
  if (chosen === undefined || !writesCluster(plan, chosen)) return chosen
  return (await mayWrite(cli, plan.cluster, options)) ? chosen : undefined
}

async function asked(cli: Cli, plan: Plan): Promise<Selection | undefined> {
  const { ask, stderr } = cli.io
  if (ask === undefined) {
    const hint = 'nothing was written: there is no terminal to ask at, and --force was not given'
    stderr.write(describeHint(hint, stderr))
    return undefined
  }
  const { choose } = await import('./question.ts')
  const person = { ask, print: (text: string) => void stderr.write(text), style: styleFor(stderr) }
  return choose(plan, person)
}

/** Objects that may be deleted and made again: asked apart, by their names, and never without somebody to ask. */
async function replaceableOf(
  { io: { ask } }: Cli,
  { resources }: Plan,
  chosen: Selection | undefined,
): Promise<ReadonlySet<string>> {
  const agreed = new Set<string>()
  for (const { id, ref, replace } of resources) {
    const choice = chosen?.get(id) ?? 'none'
    if (replace === undefined || choice === 'none' || ask === undefined) continue
    const warning = replace.holdsData ? ', AND WITH IT WHAT IT HOLDS,' : ''
    const question = `Delete ${printable(id)}${warning} and make it again? Its name, if so:`
    if ((await ask(question)) === ref.name) agreed.add(id)
  }
  return agreed
}

/** A plan: what differs on stdout, what is about it on stderr. */
export function show(cli: Cli, plan: Plan): void {
  const { stdout } = cli.io
  stdout.write(showPlan(plan, styleFor(stdout)))
  showAbout(cli, plan)
}

/** What is about a plan: what was wrong, and how many objects differ. */
export function showAbout({ io: { stderr } }: Cli, plan: Plan): void {
  stderr.write(showRemarks(plan, styleFor(stderr)))
  stderr.write(`${showSummary(plan)}\n`)
  const others = describeOthers(plan)
  if (others !== '') stderr.write(describeHint(others, stderr))
}

export function report(cli: Cli, results: readonly Result[]): void {
  const style = styleFor(cli.io.stderr)
  for (const { id, what, reason } of results) {
    const isBad = reason !== ''
    const words = isBad ? `${style('red', what)}: ${printable(reason)}` : style('green', what)
    cli.io.stderr.write(`${printable(id)} ${words}\n`)
  }
}
