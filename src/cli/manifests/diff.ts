import type { Command } from 'commander'
import { newCommand } from '../command.ts'
import type { Cli } from '../io.ts'
import { atDesk, type ManifestOptions, manifestOptions } from './common.ts'

export function diffCommand(cli: Cli): Command {
  const words = {
    usage: 'diff [what...]',
    summary: 'Shows what differs between manifests here and the cluster, and writes nothing.',
    details:
      'The exit code is 0 if nothing differs, 1 if something does, and 2 if something could not be read.',
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
    const { show } = await import('./carry.ts')
    const folder = await read()
    const { plan } = await surveyPush(session, folder, await chooseObjects(session.client, folder, words))
    show(cli, plan)
    if (plan.problems.length > 0 || plan.remarks.some(({ isProblem }) => isProblem)) cli.exitCode = 2
    else cli.exitCode = plan.resources.every(({ state }) => state === 'same') ? 0 : 1
  })
}
