import { type Command, Option } from 'commander'
import type { InstallEvent } from '../agent/install/install.ts'
import type { AgentOptions, Toleration } from '../agent/install/objects.ts'
import type { KubeClient } from '../kube/client.ts'
import { createProgress } from '../ui/progress.ts'
import { printable } from '../ui/text.ts'
import { version } from '../version.ts'
import { newCommand } from './command.ts'
import { installReport } from './install-report.ts'
import type { Cli } from './io.ts'
import { type ConfigOptions, configOptions, type KubeOptions, kubeOptions } from './options.ts'
import { describeHint } from './report.ts'
import { parseDuration, parseLabels, parseObjectName, parseToleration, usageError } from './values.ts'

interface InitOptions extends KubeOptions, ConfigOptions {
  readonly image?: string
  readonly nodeSelector: Readonly<Record<string, string>>
  readonly tolerate: readonly Toleration[]
  readonly wait: boolean
  readonly timeout: number
  readonly print?: true
  readonly watch?: true
}

export function initCommand(cli: Cli): Command {
  const words = {
    usage: 'init',
    summary: 'Installs or upgrades the agent in a cluster: a small idle pod on each node.',
    details: [
      'The pods are not privileged, mount nothing of the node, listen on no port and have no rights at the API server.',
      "They see the processes of their node, which is how a container's files are reached. The agent's own code comes",
      'with each connection, so any image with Node 20 or newer will do. Run it again at any time to upgrade.',
    ].join(' '),
    examples: [
      'init',
      "init --node-selector pool=dev --tolerate '*'",
      'init --image registry.example.com/mirror/node:22-alpine',
      'init --print | kubectl apply -f -',
    ],
  }
  return newCommand(cli, words, initOptions()).action((options: InitOptions) => init(cli, options))
}

function initOptions(): Option[] {
  return [
    new Option(
      '--image <image>',
      'an image with Node 20 or newer (default: docker.io/library/node:22-alpine)',
    ),
    new Option('--node-selector <labels>', 'only nodes with these labels, such as pool=dev; repeatable')
      .argParser((text, before: Record<string, string>) => ({ ...before, ...parseLabels(text) }))
      .default({}, 'all Linux nodes'),
    new Option(
      '--tolerate <taint>',
      'also nodes with this taint: key=value:Effect, key:Effect, key, or *; repeatable',
    )
      .argParser((text, before: readonly Toleration[]) => [...before, parseToleration(text)])
      .default([], 'no taint'),
    new Option('--no-wait', 'do not wait until the agent is ready on every node'),
    new Option('--timeout <time>', 'how long to wait').argParser(parseDuration).default(120_000, '2m'),
    new Option('--print', 'print the YAML instead of applying it'),
    new Option('--watch', 'start `watch` in the background afterwards'),
    ...kubeOptions('namespace of the agent (default: the one it is in, or kubesync)'),
    ...configOptions(),
  ]
}

async function init(cli: Cli, options: InitOptions): Promise<void> {
  if (options.print === true) return print(cli, options)
  const { connect } = await import('./connect.ts')
  const { pathsOf } = await import('./paths.ts')
  const { loadConfig, setAgent } = await import('../config/store.ts')
  const { config } = pathsOf(cli, options)
  const { agents } = await loadConfig(config)
  const client = await connect(cli, { ...options, namespace: undefined })
  const { name: context } = client.context
  const agent = await agentOptions(options, agents[context])
  await apply(cli, { client, agent, waitMs: options.wait ? options.timeout : undefined })
  await setAgent(config, context, agent.namespace)
  await sayWhatNext(cli, options)
}

async function sayWhatNext(cli: Cli, options: InitOptions): Promise<void> {
  const { askStatus } = await import('../daemon/client.ts')
  const { pathsOf } = await import('./paths.ts')
  const { stderr } = cli.io
  const running = await askStatus(pathsOf(cli, options).socket)
  if (running !== undefined) {
    if (options.watch) stderr.write(`process ${running.pid} watches already\n`)
  } else if (options.watch) {
    const { startInBackground } = await import('./background.ts')
    const { pid, log } = await startInBackground(cli, options)
    stderr.write(`process ${pid} watches in the background; its log is ${printable(log)}\n`)
  } else {
    stderr.write(
      describeHint(`\`${cli.name} create\` says what to sync, and \`${cli.name} watch -b\` syncs it`, stderr),
    )
  }
}

async function print(cli: Cli, options: InitOptions): Promise<void> {
  const { agentObjects } = await import('../agent/install/objects.ts')
  const { stringify } = await import('yaml')
  const objects = agentObjects(await agentOptions(options, undefined))
  cli.io.stdout.write(objects.map((object) => stringify(object, { lineWidth: 0 })).join('---\n'))
}

/** @param known the namespace that it was last installed in. */
async function agentOptions(options: InitOptions, known: string | undefined): Promise<AgentOptions> {
  const { defaultImage, defaultNamespace } = await import('../agent/install/objects.ts')
  const image = options.image ?? defaultImage
  if (!/^[\w][\w./:@-]*$/.test(image)) throw usageError(`\`${image}\` is not the name of an image`)
  return {
    namespace: parseObjectName('namespace')(options.namespace ?? known ?? defaultNamespace),
    image,
    nodeSelector: options.nodeSelector,
    tolerations: options.tolerate,
    version,
  }
}

interface Applied {
  readonly client: KubeClient
  readonly agent: AgentOptions
  readonly waitMs: number | undefined
}

async function apply(cli: Cli, { client, agent, waitMs }: Applied): Promise<void> {
  const { install } = await import('../agent/install/install.ts')
  const { signal, stderr } = cli.io
  stderr.write(`context ${printable(client.context.name)}, namespace ${agent.namespace}\n`)
  const progress = createProgress(stderr)
  const report = installReport(progress)
  try {
    await install(client, { ...agent, waitMs, signal }, (event: InstallEvent) => report(event))
  } finally {
    progress.done()
    client.close()
  }
  if (waitMs === undefined)
    stderr.write(describeHint('it is not waited for; run the command again to see how it does', stderr))
}
