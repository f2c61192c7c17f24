import type { Command } from 'commander'
import { newCommand } from '../command.ts'
import type { Cli } from '../io.ts'
import { inSession, type ManifestOptions, manifestOptions } from './common.ts'

export function diffCommand(cli: Cli): Command {
  const words = {
    usage: 'diff [what...]',
    summary: 'Shows what differs between manifests here and the cluster, and writes nothing.',
    details: 'The exit code is 0 if nothing differs, and 1 if something does.',
    examples: ['diff', 'diff web.yaml'],
  }
  return newCommand(cli, words, manifestOptions()).action((_what: string[], options: ManifestOptions) =>
    diff(cli, options),
  )
}

async function diff(cli: Cli, options: ManifestOptions): Promise<void> {
  await inSession(cli, options, async (session, folder) => {
    const { surveyPush } = await import('../../manifests/survey/push.ts')
    const { show } = await import('./carry.ts')
    const prepared = await surveyPush(session, folder, folder.objects)
    show(cli, prepared.plan)
    const isSame = prepared.plan.resources.every(({ state }) => state === 'same')
    cli.exitCode = isSame ? 0 : 1
  })
}
