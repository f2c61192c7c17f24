import { type Command, Option } from 'commander'
import { createProgress } from '../../ui/progress.ts'
import { styleFor } from '../../ui/style.ts'
import { count, printable } from '../../ui/text.ts'
import { confirm } from '../ask.ts'
import { newCommand } from '../command.ts'
import type { Cli } from '../io.ts'
import { parseDuration, usageError } from '../values.ts'
import { atDesk, type Desk, manifestOptions, type WriteOptions, writeOptions } from './common.ts'

interface PushOptions extends WriteOptions {
  readonly prune?: true
  readonly wait: boolean
  readonly timeout: number
}

export function pushCommand(cli: Cli): Command {
  const words = {
    usage: 'push [what...]',
    summary: 'Writes manifests to the cluster, after it has shown what differs.',
    details:
      'WHAT is a file, a folder, a type, or the name of an object in one of the files below this folder; without it, all of them. Without a terminal it writes nothing, unless --force is given.',
    examples: ['push', 'push web.yaml', 'push deployments', 'push deploy/web -f', 'push --prune'],
  }
  return newCommand(cli, words, [...pushOptions(), ...writeOptions(), ...manifestOptions()]).action(
    (what: string[], options: PushOptions) => push(cli, what, options),
  )
}

function pushOptions(): Option[] {
  return [
    new Option(
      '--prune',
      'then delete what was pushed from here once and is in no file any more; asked apart',
    ),
    new Option('--no-wait', 'do not wait for rollouts'),
    new Option('--timeout <time>', 'how long to wait for anything')
      .default(300_000, '5m')
      .argParser(parseDuration),
  ]
}

async function push(cli: Cli, what: readonly string[], options: PushOptions): Promise<void> {
  if (options.prune === true && what.length > 0) {
    throw usageError('--prune goes with all that is in this folder: name nothing else')
  }
  await atDesk(cli, { options, words: what }, async (desk) => {
    const { chooseObjects } = await import('../../manifests/survey/choose.ts')
    const { surveyPush } = await import('../../manifests/survey/push.ts')
    const { settle } = await import('./carry.ts')
    const { session, words, read } = desk
    const survey = async () => {
      const folder = await read()
      return surveyPush(session, folder, await chooseObjects(session.client, folder, words))
    }
    await settle(cli, { session, survey, options, waits: options.wait, timeoutMs: options.timeout })
    if (options.prune === true) await pruneAfter(cli, desk, options)
  })
}

async function pruneAfter(cli: Cli, { session, read }: Desk, options: PushOptions): Promise<void> {
  const { findOrphans, prune } = await import('../../manifests/carry/remove.ts')
  const { report } = await import('./carry.ts')
  const { mayWrite } = await import('./guard.ts')
  const { io } = cli
  const { holdsData } = await import('../../manifests/plan/make.ts')
  const found = await findOrphans(session, await read())
  const isKept = ({ facts }: (typeof found)[number]) => holdsData(facts.identity.kind)
  for (const { id } of found.filter(isKept)) {
    io.stderr.write(
      `${printable(id)} stays: it holds what would go with it; delete it yourself if that is meant\n`,
    )
  }
  const orphans = found.filter((one) => !isKept(one))
  if (orphans.length === 0) return void io.stderr.write('nothing to prune\n')
  const style = styleFor(io.stdout)
  for (const { id, file } of orphans) {
    io.stdout.write(`${style('red', '-')} ${printable(id)}  (was in ${printable(file)})\n`)
  }
  const question = `Delete ${count(orphans.length, 'object')} from ${printable(session.cluster.context)}?`
  const isMeant = options.force === true || (io.ask !== undefined && (await confirm(io.ask, question)))
  if (!isMeant || !(await mayWrite(cli, session.cluster, options))) {
    cli.exitCode = 1
    return
  }
  const progress = createProgress(io.stderr)
  const onProgress = (words: string) => progress.update(printable(words))
  const wait = { timeoutMs: options.timeout, signal: io.signal, onProgress }
  const results = await prune(session, orphans, wait).finally(() => progress.done())
  report(cli, results)
  if (results.some(({ reason }) => reason !== '')) cli.exitCode = 1
}
