import type { Command } from 'commander'
import type { Spec } from '../config/spec.ts'
import { newCommand } from './command.ts'
import type { Listing } from './files-list.ts'
import type { Cli } from './io.ts'
import {
  type AgentOptions,
  agentOptions,
  type ConfigOptions,
  configOptions,
  type KubeOptions,
  kubeOptions,
  type OutputFormat,
  outputOption,
  podOptions,
} from './options.ts'
import { printData } from './output.ts'
import { describeError } from './report.ts'
import { usageError } from './values.ts'

interface FilesOptions extends KubeOptions, ConfigOptions, AgentOptions {
  readonly selector?: string
  readonly pod?: string
  readonly container?: string
  readonly output?: OutputFormat
}

export function filesCommand(cli: Cli): Command {
  const words = {
    usage: 'files <NAME|REMOTE>',
    summary: 'Lists what is in the remote folder, in each container that matches.',
    details: 'Give the name of a spec, or a folder in containers together with --selector or --pod.',
    examples: ['files calm-otter', 'files -l app=demo /app', 'files --pod demo-0 /app -o json'],
  }
  const options = [...podOptions(), ...agentOptions(), outputOption(), ...kubeOptions(), ...configOptions()]
  return newCommand(cli, words, options).action((what: string, given: FilesOptions) =>
    files(cli, what, given),
  )
}

async function files(cli: Cli, what: string, options: FilesOptions): Promise<void> {
  const { loadConfig } = await import('../config/store.ts')
  const { pathsOf } = await import('./paths.ts')
  const { listRemote } = await import('./files-remote.ts')
  const { formatListing, toData } = await import('./files-list.ts')
  const config = await loadConfig(pathsOf(cli, options).config)
  const spec = await specOf(cli, { what, options, specs: config.specs })
  const results = await listRemote(cli, { spec, config, kubeconfig: options.kubeconfig })
  const listings = results.filter((result): result is Listing => 'tree' in result)
  const data = listings.map(toData)
  const names = data.flatMap(({ entries }) => entries.map(({ path }) => path))
  await printData(cli, { format: options.output, data, names }, () =>
    listings.map((listing) => formatListing(listing)).join('\n'),
  )
  const { stderr } = cli.io
  const failures = results.flatMap((result) => ('error' in result ? [result.error] : []))
  if (failures.length > 0) cli.exitCode = 1
  // What keeps one container of a node from being listed often keeps all of them.
  const said = new Set(failures.map((error) => describeError(error, { verbose: cli.verbose, stderr })))
  for (const text of said) stderr.write(text)
}

interface Asked {
  readonly what: string
  readonly options: FilesOptions
  readonly specs: readonly Spec[]
}

/** The spec of that name, or one made up for a folder and pods. */
async function specOf(cli: Cli, { what, options, specs }: Asked): Promise<Spec> {
  if (!what.startsWith('/')) {
    const { named } = await import('../config/store.ts')
    if (options.selector !== undefined || options.pod !== undefined) {
      throw usageError('a folder in containers has to be an absolute path', `did you mean /${what}?`)
    }
    return named(specs, what)
  }
  const { findWhere, settingsOf } = await import('./where.ts')
  const { agentFrom, podsFrom, remoteFolder, withAgent } = await import('./spec.ts')
  const pods = podsFrom(options)
  const remote = remoteFolder(what)
  const { context } = await findWhere(cli, options)
  const where = { context: context.name, namespace: context.namespace }
  const how = agentFrom(withAgent(options, await settingsOf(cli, options)))
  return { name: 'files', local: cli.io.cwd, remote, ...where, ...pods, ...how, mode: 'two-way-safe' }
}
