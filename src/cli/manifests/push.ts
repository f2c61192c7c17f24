import type { Command } from 'commander'
import { newCommand } from '../command.ts'
import type { Cli } from '../io.ts'
import { forceOption, inSession, type ManifestOptions, manifestOptions } from './common.ts'

export function pushCommand(cli: Cli): Command {
  const words = {
    usage: 'push [what...]',
    summary: 'Writes manifests to the cluster, after it has shown what differs.',
    details: 'Without a terminal it writes nothing, unless --force is given.',
    examples: ['push', 'push web.yaml', 'push -f shop/'],
  }
  return newCommand(cli, words, [forceOption(), ...manifestOptions()]).action(
    (_what: string[], options: ManifestOptions) => push(cli, options),
  )
}

async function push(cli: Cli, options: ManifestOptions): Promise<void> {
  await inSession(cli, options, async (session, folder) => {
    const { surveyPush } = await import('../../manifests/survey/push.ts')
    const { settle } = await import('./carry.ts')
    const prepared = await surveyPush(session, folder, folder.objects)
    await settle(cli, { session, prepared }, { force: options.force === true })
  })
}
