import type { Command } from 'commander'
import { Option } from 'commander'
import type { Session } from '../../manifests/session.ts'
import type { Gathered } from '../../manifests/survey/pull.ts'
import { newCommand } from '../command.ts'
import type { Cli } from '../io.ts'
import { forceOption, inSession, type ManifestOptions, manifestOptions } from './common.ts'

interface PullOptions extends ManifestOptions {
  readonly output?: string
}

export function pullCommand(cli: Cli): Command {
  const words = {
    usage: 'pull [type] [names...]',
    summary: 'Writes resources of the cluster to files, after it has shown what differs.',
    details: 'Without a terminal it writes nothing, unless --force is given.',
    examples: ['pull', 'pull deployment web', 'pull deployment web -o web.yaml'],
  }
  const own = [new Option('-o, --output <file>', 'the file for what is in none yet'), forceOption()]
  return newCommand(cli, words, [...own, ...manifestOptions()]).action(
    (type: string | undefined, names: string[], options: PullOptions) => pull(cli, { type, names }, options),
  )
}

interface Asked {
  readonly type: string | undefined
  readonly names: readonly string[]
}

async function pull(cli: Cli, asked: Asked, options: PullOptions): Promise<void> {
  await inSession(cli, options, async (session, folder) => {
    const { surveyPull } = await import('../../manifests/survey/pull.ts')
    const { settle } = await import('./carry.ts')
    const gathered = await gather(session, asked)
    const prepared = await surveyPull(
      session,
      { folder, gathered },
      { file: options.output, layout: undefined },
    )
    await settle(cli, { session, prepared }, { force: options.force === true })
  })
}

async function gather({ client }: Session, { type = '', names }: Asked): Promise<Gathered> {
  const { apiVersion, plural, namespaced } = await client.discovery.resolve(type)
  const { asMap } = await import('../../manifests/live/fetch.ts')
  const namespace = namespaced ? client.context.namespace : undefined
  const objects = await Promise.all(names.map((name) => client.get({ apiVersion, plural, namespace, name })))
  return { objects: objects.map(asMap), leftOut: [], problems: [], isNamed: true }
}
