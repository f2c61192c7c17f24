import type { Command } from 'commander'
import type { Prepared } from '../../manifests/survey/facts.ts'
import { newCommand } from '../command.ts'
import type { Cli } from '../io.ts'
import { atDesk, type ManifestOptions, manifestOptions } from './common.ts'

export function diffCommand(cli: Cli): Command {
  const words = {
    usage: 'diff [what...]',
    summary: 'Shows what differs between manifests here and the cluster, and writes nothing.',
    details:
      'The exit code is 0 if nothing differs, 1 if something does, and 2 if something could not be read. KUBECTL_EXTERNAL_DIFF names another program to show it, as for kubectl.',
    examples: ['diff', 'diff web.yaml'],
  }
  return newCommand(cli, words, manifestOptions()).action((words: string[], options: ManifestOptions) =>
    diff(cli, words, options),
  )
}

async function diff(cli: Cli, words: readonly string[], options: ManifestOptions): Promise<void> {
  await atDesk(cli, { options, words }, async ({ session, read, words }) => {
    const { chooseObjects } = await import('../../manifests/survey/choose.ts')
    const { surveyPush } = await import('../../manifests/survey/push.ts')
    const { mendInterrupted } = await import('./interrupted.ts')
    await mendInterrupted(cli, { session, options: undefined })
    const folder = await read()
    const prepared = await surveyPush(session, folder, await chooseObjects(session.client, folder, words))
    const { resources, problems, remarks } = prepared.plan
    const code = await showDifference(cli, prepared)
    const isUnread = problems.length > 0 || remarks.some(({ isProblem }) => isProblem)
    const isRefused = resources.some(({ state }) => state === 'refused')
    cli.exitCode = isUnread ? 2 : Math.max(code, isRefused ? 1 : 0)
  })
}

/** Shows it, or has the user's own program do that; 0 if nothing differs, 1 if something does, more if the program failed. */
async function showDifference(cli: Cli, prepared: Prepared): Promise<number> {
  const { show, showAbout } = await import('./carry.ts')
  const { plan } = prepared
  const program = cli.io.env.KUBECTL_EXTERNAL_DIFF
  if (program === undefined || program.trim() === '') {
    show(cli, plan)
    return plan.resources.every(({ state }) => state === 'same') ? 0 : 1
  }
  const { compareOutside } = await import('./external.ts')
  showAbout(cli, plan)
  return compareOutside(program, prepared, cli.io.signal)
}
