import type { Result } from '../../manifests/carry/carry.ts'
import type { Plan, ResourcePlan, Selection } from '../../manifests/plan/plan.ts'
import type { Session } from '../../manifests/session.ts'
import type { Prepared } from '../../manifests/survey/facts.ts'
import { createProgress } from '../../ui/progress.ts'
import { styleFor } from '../../ui/style.ts'
import { printable } from '../../ui/text.ts'
import type { Cli } from '../io.ts'
import { describeHint } from '../report.ts'
import { showRemarks } from './remarks.ts'
import { showPlan, showSummary } from './show.ts'

/** Shows a plan, asks, and carries it out; the exit code says how it ended. */
export async function settle(
  cli: Cli,
  { session, prepared }: { session: Session; prepared: Prepared },
  { force }: { force: boolean },
): Promise<void> {
  const { plan } = prepared
  show(cli, plan)
  const chosen = await selectionOf(cli, plan, force)
  const { carryOut } = await import('../../manifests/carry/carry.ts')
  const progress = createProgress(cli.io.stderr)
  const onProgress = (words: string) => progress.update(printable(words))
  // What both sides have alike is remembered, whatever the answer is.
  const results = await carryOut(session, { prepared, selection: chosen ?? new Map() }, { onProgress })
  progress.done()
  report(cli, results)
  const isOpen = plan.resources.some((resource) => isLeft(resource, plan, chosen))
  const isBad = plan.problems.length > 0 || plan.remarks.some(({ isProblem }) => isProblem)
  cli.exitCode = isOpen || isBad || results.some(({ reason }) => reason !== '') ? 1 : 0
}

/** What is to be carried out; undefined if nobody may be asked, or nobody wants it. */
async function selectionOf(cli: Cli, plan: Plan, force: boolean): Promise<Selection | undefined> {
  const isOpen = plan.resources.some(({ state }) => state !== 'same' && state !== 'refused')
  if (!isOpen || force) return new Map(plan.resources.map(({ id }) => [id, 'all']))
  const { ask, stderr } = cli.io
  if (ask === undefined) {
    stderr.write(
      describeHint(`nothing was written: there is no terminal to ask at, and --force was not given`, stderr),
    )
    return undefined
  }
  const { choose } = await import('./question.ts')
  const person = { ask, print: (text: string) => void stderr.write(text), style: styleFor(stderr) }
  return choose(plan, person)
}

/** Whether something was not done that somebody might expect. */
function isLeft(
  { id, state, differences }: ResourcePlan,
  { direction }: Plan,
  chosen: Selection | undefined,
) {
  if (state === 'same') return false
  const choice = chosen?.get(id)
  // Whoever chose field by field has seen what stays.
  if (choice !== undefined && choice !== 'all') return false
  if (choice === undefined || state === 'refused') return true
  return differences.some((one) => one.whose === 'both' || (one.isHeld && direction === 'push'))
}

/** A plan: what differs on stdout, what is about it on stderr. */
export function show(cli: Cli, plan: Plan): void {
  const { stdout, stderr } = cli.io
  stdout.write(showPlan(plan, styleFor(stdout)))
  stderr.write(showRemarks(plan, styleFor(stderr)))
  stderr.write(`${showSummary(plan)}\n`)
}

function report(cli: Cli, results: readonly Result[]): void {
  const style = styleFor(cli.io.stderr)
  for (const { id, what, reason } of results) {
    const isBad = reason !== ''
    const words = isBad ? `${style('red', what)}: ${printable(reason)}` : style('green', what)
    cli.io.stderr.write(`${printable(id)} ${words}\n`)
  }
}
