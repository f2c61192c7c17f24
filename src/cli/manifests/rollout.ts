import type { Failure } from '../../manifests/deploy/follow.ts'
import type { Evidence } from '../../manifests/deploy/why.ts'
import type { Facts } from '../../manifests/plan/make.ts'
import type { Session } from '../../manifests/session.ts'
import type { PreparedChange } from '../../manifests/survey/change.ts'
import { createProgress } from '../../ui/progress.ts'
import { type Style, styleFor } from '../../ui/style.ts'
import { printable, truncate } from '../../ui/text.ts'
import { confirm } from '../ask.ts'
import type { Cli } from '../io.ts'
import { describeHint } from '../report.ts'
import type { DeployOptions } from './deploy.ts'
import { openGitBack } from './git.ts'

/** A change that was made, and the uids of the pods that were there before. */
export interface Rollout extends PreparedChange {
  readonly pods: ReadonlySet<string>
}

/** The uids of the pods of what is to be changed. */
export async function podsBefore(session: Session, { facts }: PreparedChange): Promise<ReadonlySet<string>> {
  const { podsOf, uidOf } = await import('../../manifests/deploy/follow.ts')
  const objects = [...facts.values()].flatMap(({ live }) => (live === undefined ? [] : [live.object]))
  return new Set((await Promise.all(objects.map((one) => podsOf(session, one)))).flat().map(uidOf))
}

interface Followed {
  readonly session: Session
  readonly prepared: Rollout
}

/** Waits for a rollout with live progress; if it fails, says why, and goes back if that is wanted. */
export async function follow(
  cli: Cli,
  { session, prepared }: Followed,
  options: DeployOptions,
): Promise<void> {
  const { followRollout } = await import('../../manifests/deploy/follow.ts')
  const { hasRollout } = await import('../../manifests/carry/rollout.ts')
  const { stderr, signal } = cli.io
  const style = styleFor(stderr)
  for (const [id, facts] of prepared.facts) {
    if (!hasRollout(facts.identity.kind)) continue
    const progress = createProgress(stderr)
    const onProgress = (words: string) => progress.update(printable(words))
    const wait = { timeoutMs: options.timeout, signal, onProgress }
    const followed = { object: facts, before: prepared.pods }
    const failure = await followRollout(session, followed, wait)
      .catch((error: unknown) => {
        progress.done()
        // Whoever does not want to wait any longer has not taken anything back.
        if (signal.aborted) stderr.write(describeHint(staysHint, stderr))
        throw error
      })
      .finally(() => progress.done())
    if (failure === undefined) {
      stderr.write(`${printable(id)} ${style('green', 'rolled out')}\n`)
      continue
    }
    cli.exitCode = 1
    stderr.write(`${printable(id)} ${style('red', 'failed')}: ${printable(failure.reason)}\n`)
    await explain(cli, { session, facts }, failure)
    await offerBack(cli, { session, prepared }, options)
  }
}

interface Explained {
  readonly session: Session
  readonly facts: Facts
}

async function explain(cli: Cli, { session, facts }: Explained, { trouble }: Failure): Promise<void> {
  const { namespace } = facts.identity
  if (trouble === undefined || namespace === undefined) return
  const { evidenceOf } = await import('../../manifests/deploy/why.ts')
  const evidence = await evidenceOf(session, namespace, trouble)
  cli.io.stderr.write(showEvidence(evidence, trouble, styleFor(cli.io.stderr)))
}

/** Columns after which a line of somebody else's words is cut. */
const width = 300

function showEvidence(
  { events, log }: Evidence,
  { pod, container }: { pod: string; container: string | undefined },
  style: Style,
): string {
  const block = (title: string, lines: readonly string[]) =>
    lines.length === 0
      ? []
      : [style('bold', title), ...lines.map((line) => `  ${truncate(printable(line), width)}`)]
  const lines = [
    ...block(`events of ${printable(pod)}:`, events),
    ...block(`last lines of ${printable(container ?? '')}:`, log),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

const staysHint =
  'the change stays, in the file and in the cluster; `revert --last` takes it back, and --rollback-on-failure does so without asking'

/** Goes back by the inverse of what was done, if that is wanted. */
async function offerBack(cli: Cli, { session, prepared }: Followed, options: DeployOptions): Promise<void> {
  const { ask, stderr } = cli.io
  const isWanted =
    options.rollbackOnFailure === true ||
    (ask !== undefined && (await confirm(ask, 'Go back to what was before, here and in the cluster?')))
  if (!isWanted) {
    stderr.write(describeHint(staysHint, stderr))
    return
  }
  const { goBack } = await import('../../manifests/deploy/back.ts')
  const { report } = await import('./carry.ts')
  const progress = createProgress(stderr)
  const onProgress = (words: string) => progress.update(printable(words))
  const wait = { timeoutMs: options.timeout, signal: cli.io.signal, onProgress }
  const git = await openGitBack(cli, { session, prepared }, options)
  const results = await goBack(session, prepared, { ...wait, command: `${cli.args[0]} (going back)` })
  progress.done()
  report(cli, results)
  await git?.after(results, () => false)
  const isBack = results.every(({ reason }) => reason === '')
  if (isBack) stderr.write('file and cluster are what they were before\n')
}
