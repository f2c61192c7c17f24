import { type Command, Option } from 'commander'
import type { ResourcePlan } from '../../manifests/plan/plan.ts'
import { count, printable } from '../../ui/text.ts'
import { confirm } from '../ask.ts'
import { newCommand } from '../command.ts'
import type { Cli } from '../io.ts'
import { formatTime } from '../time.ts'
import { parseCount, parseDuration, usageError } from '../values.ts'
import { atDesk, manifestOptions, type WriteOptions, writeOptions } from './common.ts'

interface RevertOptions extends WriteOptions {
  readonly last?: true
  readonly to?: number
  readonly only?: 'file' | 'cluster'
  readonly timeout: number
}

export function revertCommand(cli: Cli): Command {
  const words = {
    usage: 'revert [resource]',
    summary: 'Takes back what was written to files and to the cluster, after it has shown what that changes.',
    details:
      'RESOURCE takes back what was written to it last; --last, all that the last operation wrote; --to N, all that was written after operation N of `history`, of RESOURCE or of this folder. What was changed since by others stays: a field that they changed to something else is shown and left, unless it is taken. A revert is an operation like others, and can be reverted.',
    examples: ['revert web', 'revert deployment/web --only cluster', 'revert --last', 'revert web --to 12'],
  }
  const options = [
    new Option('--last', 'the last operation, with all that it wrote'),
    new Option('--to <number>', 'back to how it was after that operation; 0 is before the first').argParser(
      parseCount(0, Number.MAX_SAFE_INTEGER),
    ),
    new Option('--only <side>', 'what was written to files, or to the cluster').choices(['file', 'cluster']),
    new Option('--timeout <time>', 'how long to wait for anything')
      .default(300_000, '5m')
      .argParser(parseDuration),
  ]
  return newCommand(cli, words, [...options, ...writeOptions(), ...manifestOptions()]).action(
    (resource: string | undefined, given: RevertOptions) => revert(cli, resource, given),
  )
}

async function revert(cli: Cli, resource: string | undefined, options: RevertOptions): Promise<void> {
  const { last, to, only, timeout } = options
  if (last === true && (resource !== undefined || to !== undefined)) {
    throw usageError('--last is all of the last operation: name nothing else')
  }
  if (last !== true && resource === undefined && to === undefined) {
    throw usageError('nothing is named', 'name a resource, or say --last or --to NUMBER')
  }
  await atDesk(cli, { options, words: [] }, async ({ session }) => {
    const { chooseWrites } = await import('../../manifests/revert/choose.ts')
    const { surveyRevert } = await import('../../manifests/revert/survey.ts')
    const { carryRevert } = await import('../../manifests/revert/carry.ts')
    const { deletionsIn } = await import('../../manifests/revert/taken.ts')
    const { settle } = await import('./carry.ts')
    const chosen = chooseWrites(await session.journal.operations(), { resource, to, only }, session)
    for (const { number, command, at } of chosen.operations) {
      cli.io.stderr.write(
        `operation ${number} of ${formatTime(Date.parse(at))}: ${printable(command || '-')}\n`,
      )
    }
    let isKept = false
    await settle(cli, {
      ...{ session, options, waits: false, timeoutMs: timeout, survey: () => surveyRevert(session, chosen) },
      carry: async ({ prepared, selection }, how) => {
        const going = deletionsIn({ prepared, selection })
        const deletable = await deletableOf(cli, { going, context: session.cluster.context }, options)
        isKept = deletable.size < going.length
        return carryRevert(session, { prepared, selection, command: cli.args.join(' '), deletable }, how)
      },
    })
    if (isKept) cli.exitCode = 1
  })
}

interface Deleting {
  readonly going: readonly ResourcePlan[]
  readonly context: string
}

/**
 * What may be deleted in the cluster: asked apart; what holds data, or was changed by others since, by its name, one by one. What holds data
 * is never deleted without somebody to ask.
 */
async function deletableOf(
  { io: { ask, stderr } }: Cli,
  { going, context }: Deleting,
  { force }: RevertOptions,
): Promise<ReadonlySet<string>> {
  const { holdsData } = await import('../../manifests/plan/make.ts')
  const isMoved = ({ differences }: ResourcePlan) => differences.some(({ whose }) => whose === 'both')
  const isPlain = (one: ResourcePlan) => !holdsData(one.ref.kind) && (force === true || !isMoved(one))
  const plain = going.filter(isPlain)
  const question = `Delete ${count(plain.length, 'object')} from ${printable(context)}?`
  const isMeant =
    plain.length > 0 && (force === true || (ask !== undefined && (await confirm(ask, question))))
  const agreed = new Set(isMeant ? plain.map(({ id }) => id) : [])
  for (const { id, ref } of going.filter((one) => !isPlain(one))) {
    const warning = holdsData(ref.kind) ? ', AND WITH IT WHAT IT HOLDS' : ', which was changed since'
    const answer = await ask?.(`Delete ${printable(id)}${warning}? Its name, if so:`)
    if (answer === ref.name) agreed.add(id)
    else stderr.write(`${printable(id)} stays: it is deleted only by whoever types its name\n`)
  }
  return agreed
}
