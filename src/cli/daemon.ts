import { type Command, Option } from 'commander'
import type { Work } from '../daemon/join.ts'
import type { KeepOrder } from '../daemon/keeps/order.ts'
import { conflictPolicies, deletionPolicies, keepModes } from '../daemon/keeps/policies.ts'
import { printable } from '../ui/text.ts'
import { newCommand } from './command.ts'
import type { Cli } from './io.ts'
import { logTo } from './log.ts'
import { interruptedOption, manifestOptions, type WriteOptions } from './manifests/common.ts'
import { confirmOption } from './options.ts'
import { usageError } from './values.ts'

export interface DaemonOptions extends WriteOptions {
  readonly mode: KeepOrder['mode']
  readonly onConflict: KeepOrder['onConflict']
  readonly onDeletion: KeepOrder['onDeletion']
  readonly background?: true
  readonly status?: true
  readonly stop?: true
}

export function daemonCommand(cli: Cli): Command {
  const words = {
    usage: 'daemon [folder]',
    summary: 'Keeps a folder of manifests and a cluster in step, for as long as it runs.',
    details: [
      'What changes in one is carried to the other, field by field. It shows first what it would write, and asks.',
      'Conflicts and deletions wait until `resolve` settles them, unless a flag says otherwise. With -b it goes on in the',
      'background, also after a restart of the process, until --stop. `get` shows how it does.',
    ].join(' '),
    examples: [
      'daemon',
      'daemon -b shop',
      'daemon --mode to-cluster --on-conflict local',
      'daemon --status',
      'daemon --stop',
    ],
  }
  return newCommand(cli, words, [...daemonOptions(), ...manifestOptions()]).action(
    (folder: string | undefined, options: DaemonOptions) => {
      const ways = [options.background, options.status, options.stop].filter((way) => way === true)
      if (ways.length > 1) throw usageError('either --background, --status or --stop, not several')
      if (options.stop) return stop(cli, folder, options)
      return options.status ? status(cli, folder, options) : daemon(cli, folder, options)
    },
  )
}

function daemonOptions(): Option[] {
  return [
    new Option('-b, --background', 'run in the background, with a log file'),
    new Option('--status', 'show how it stands, of all folders or of one'),
    new Option('--stop', 'end it, of all folders or of one'),
    new Option('--mode <mode>', 'which way changes travel').choices(keepModes).default('two-way'),
    new Option(
      '--on-conflict <how>',
      'of what changed on both sides: `ask`, the `local` or the `remote` side wins, or `stop`',
    )
      .choices(conflictPolicies)
      .default('ask'),
    new Option(
      '--on-deletion <how>',
      'of what was deleted on one side: `ask`, `carry` it to the other, or `restore` it',
    )
      .choices(deletionPolicies)
      .default('ask'),
    new Option('-f, --force', 'begin without asking'),
    interruptedOption(),
    confirmOption(),
  ]
}

async function daemon(cli: Cli, folder: string | undefined, options: DaemonOptions): Promise<void> {
  const { agreeOn } = await import('./manifests/agree.ts')
  const order = await agreeOn(cli, folder, options)
  if (order === undefined) {
    cli.exitCode = 1
    return
  }
  await forgetOlder(cli, order, options)
  const work: Work = { what: 'keep', order }
  const where = `${printable(order.folder)} and ${printable(order.context)}`
  if (options.background) {
    const { startInBackground, takerWords } = await import('./background.ts')
    const taker = await startInBackground(cli, options, work)
    return void cli.io.stdout.write(`${takerWords(taker, `keeps ${where} in step`)}\n`)
  }
  const { takePart } = await import('./take-part.ts')
  const log = logTo(cli.io.stdout)
  await takePart(cli, options, {
    ...{ work, log },
    begun: (pid, own) => {
      if (own === undefined) log({ level: 'info', message: `process ${pid}, which runs already, does it` })
    },
  })
}

/** After a crash, what was to go on in a folder would begin first, and as it was ordered then: not as it was shown now. */
async function forgetOlder(cli: Cli, { folder }: KeepOrder, options: DaemonOptions): Promise<void> {
  const { askStatus } = await import('../daemon/client.ts')
  const { forgetKeeps } = await import('../daemon/keeps/written.ts')
  const { pathsOf } = await import('./paths.ts')
  const paths = pathsOf(cli, options)
  if ((await askStatus(paths.socket)) === undefined) await forgetKeeps(paths.keeps, folder)
}

async function stop(cli: Cli, folder: string | undefined, options: DaemonOptions): Promise<void> {
  const { stopWork } = await import('../daemon/background.ts')
  const { forgetKeeps } = await import('../daemon/keeps/written.ts')
  const { pathsOf } = await import('./paths.ts')
  const { folderAt } = await import('./manifests/agree.ts')
  const one: { readonly folder?: string } =
    folder === undefined ? {} : { folder: await folderAt(cli, folder) }
  const paths = pathsOf(cli, options)
  const stopped = await stopWork(paths, { what: 'keeps', ...one })
  // What a process that is gone was to go on with is not to come back either.
  const ended = stopped?.ended ?? (await forgetKeeps(paths.keeps, one.folder))
  const { stderr } = cli.io
  if (ended.length === 0) return void stderr.write('no folder of manifests is kept in step\n')
  for (const folder of ended) stderr.write(`${printable(folder)} is not kept in step any more\n`)
  if (stopped?.goesOn === false) stderr.write(`process ${stopped.pid} has ended\n`)
}

async function status(cli: Cli, folder: string | undefined, options: DaemonOptions): Promise<void> {
  const { showKept } = await import('./get.ts')
  const { folderAt } = await import('./manifests/agree.ts')
  await showKept(cli, folder === undefined ? undefined : await folderAt(cli, folder), options)
}
