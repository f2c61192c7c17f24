import { KubesyncError } from '../../errors.ts'
import type { Ending, Interrupted } from '../../manifests/carry/interrupted.ts'
import type { Session } from '../../manifests/session.ts'
import { styleFor } from '../../ui/style.ts'
import { printable } from '../../ui/text.ts'
import type { Cli } from '../io.ts'
import { formatTime } from '../time.ts'
import type { WriteOptions } from './common.ts'
import { mayWrite } from './guard.ts'
import { showResource } from './show.ts'

interface Mending {
  readonly session: Session
  /** Without them nothing may be written: an interrupted change is only told of. */
  readonly options: WriteOptions | undefined
}

/**
 * Brings changes to an end that a crash, or a broken connection, left half done: asks whether to finish or to undo them, or
 * does what `--interrupted` says. Throws INTERRUPTED where nobody says it.
 */
export async function mendInterrupted(cli: Cli, { session, options }: Mending): Promise<void> {
  const { mayBeInterrupted, findInterrupted } = await import('../../manifests/carry/interrupted.ts')
  if (!mayBeInterrupted(session)) return
  for (const one of await findInterrupted(session)) {
    if (options === undefined) tell(cli, one)
    else await mend(cli, one, { session, options })
  }
}

function wordsOf({ command, at }: Interrupted): string {
  return `\`${printable(command)}\` was interrupted at ${formatTime(Date.parse(at))}`
}

function tell({ io: { stderr } }: Cli, one: Interrupted): void {
  stderr.write(
    `${styleFor(stderr)('yellow', 'warning:')} ${wordsOf(one)}; the next command that writes asks about it\n`,
  )
}

async function mend(cli: Cli, one: Interrupted, { session, options }: Mending & { options: WriteOptions }) {
  const { endInterrupted } = await import('../../manifests/carry/interrupted.ts')
  const { stderr } = cli.io
  const { surveyEnding, carryEnding } = await import('../../manifests/revert/interrupted.ts')
  const wait = { timeoutMs: 60_000, signal: cli.io.signal, onProgress() {} }
  const [finish, undo] = [
    await surveyEnding(session, one, 'finish'),
    await surveyEnding(session, one, 'undo'),
  ]
  const isNothing = ({ plan }: typeof finish) => plan.resources.every(({ state }) => state === 'same')
  if (isNothing(undo)) {
    await endInterrupted(session, one, 'it was interrupted before it wrote anything')
    stderr.write(`${wordsOf(one)}, before it wrote anything\n`)
    return
  }
  if (isNothing(finish)) {
    await endInterrupted(session, one, '')
    stderr.write(`${wordsOf(one)}, when all was written: there is nothing left to do\n`)
    return
  }
  stderr.write(`${wordsOf(one)}. To finish it, this is left to do:\n\n`)
  for (const resource of finish.plan.resources) {
    stderr.write(`${showResource(resource, 'change', styleFor(stderr))}\n`)
  }
  const ending = await endingFor(cli, options)
  if (!(await mayWrite(cli, session.cluster, options))) throw new KubesyncError('INTERRUPTED', wordsOf(one))
  const prepared = ending === 'finish' ? finish : undo
  const results = await carryEnding(session, { prepared, command: one.command, ending }, wait)
  const failed = results.find(({ reason }) => reason !== '')
  if (failed !== undefined) {
    throw new KubesyncError('INTERRUPTED', `${failed.id} could not be brought to an end: ${failed.reason}`, {
      hint: 'mend that, and try again',
    })
  }
  await endInterrupted(session, one, ending === 'finish' ? '' : 'it was interrupted, and undone')
  stderr.write(ending === 'finish' ? 'it is finished\n' : 'it is undone\n')
}

async function endingFor({ io: { ask } }: Cli, { interrupted }: WriteOptions): Promise<Ending> {
  if (interrupted !== undefined) return interrupted
  for (;;) {
    const answer = await ask?.('Finish it or undo it? [f]inish, [u]ndo, [q]uit')
    if (/^f(inish)?$/i.test(answer ?? '')) return 'finish'
    if (/^u(ndo)?$/i.test(answer ?? '')) return 'undo'
    if (answer !== undefined && !/^q(uit)?$/i.test(answer)) continue
    throw new KubesyncError('INTERRUPTED', 'nothing was written: an earlier change is half done', {
      hint: '--interrupted finish, or --interrupted undo, brings it to an end first',
    })
  }
}
