import { type Command, Option } from 'commander'
import type { AgentOptions, Toleration } from '../agent/install/objects.ts'
import type { AgentSettings } from '../agent/install/settings.ts'
import type { KubeClient } from '../kube/client.ts'
import { createProgress } from '../ui/progress.ts'
import { printable } from '../ui/text.ts'
import { version } from '../version.ts'
import { newCommand } from './command.ts'
import { installReport } from './install-report.ts'
import type { Cli } from './io.ts'
import {
  type ConfigOptions,
  type ConfirmOptions,
  configOptions,
  confirmOption,
  type KubeOptions,
  kubeOptions,
} from './options.ts'
import { describeHint } from './report.ts'
import { parseDuration, parseLabels, parseObjectName, parseToleration, usageError } from './values.ts'

interface InitOptions extends KubeOptions, ConfigOptions, ConfirmOptions {
  readonly image?: string
  readonly nodeSelector?: Readonly<Record<string, string>>
  readonly tolerate?: readonly Toleration[]
  readonly strict?: boolean
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
      'with each connection, so any image with Node 20 or newer will do. Run it again at any time, to upgrade, or to',
      'see how it does; what was chosen by flags before stays as it was. With --strict it is otherwise: the code is',
      'installed as well, is reached by port-forward, and may read pods, so that no caller can do more than his rights say.',
    ].join(' '),
    examples: [
      'init',
      "init --node-selector pool=dev --tolerate '*'",
      'init --image registry.example.com/mirror/node:22-alpine',
      'init --strict',
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
    new Option(
      '--node-selector <labels>',
      'only nodes with these labels, such as pool=dev; repeatable',
    ).argParser((text, before: Readonly<Record<string, string>> = {}) => ({
      ...before,
      ...parseLabels(text),
    })),
    new Option(
      '--tolerate <taint>',
      'also nodes with this taint: key=value:Effect, key:Effect, key, or *; repeatable',
    ).argParser((text, before: readonly Toleration[] = []) => [...before, parseToleration(text)]),
    new Option('--strict', 'for shared clusters: agents serve a pod to those only who may patch it'),
    new Option('--no-strict', 'take that back'),
    new Option('--no-wait', 'do not wait until the agent is ready on every node'),
    new Option('--timeout <time>', 'how long to wait').argParser(parseDuration).default(120_000, '2m'),
    new Option('--print', 'print the YAML instead of applying it'),
    new Option('--watch', 'start `watch` in the background afterwards'),
    confirmOption(),
    ...kubeOptions('namespace of the agent (default: the one it is in, or kubesync)'),
    ...configOptions(),
  ]
}

async function init(cli: Cli, options: InitOptions): Promise<void> {
  if (options.print === true) return print(cli, options)
  const { connect } = await import('./connect.ts')
  const { pathsOf } = await import('./paths.ts')
  const { loadConfig, setAgent } = await import('../config/store.ts')
  const { applyAgent, waitForAgent } = await import('../agent/install/install.ts')
  const { stderr, signal } = cli.io
  const { config } = pathsOf(cli, options)
  const { agents } = await loadConfig(config)
  const client = await connect(cli, { ...options, namespace: undefined })
  const context = client.context.name
  const { mayWrite } = await import('./manifests/guard.ts')
  if (!(await mayWrite(cli, { context }, options))) {
    client.close()
    cli.exitCode = 1
    return
  }
  const agent = await chooseAgent(options, { client, known: agents[context] })
  const where = `context ${context}, namespace ${agent.namespace}, image ${agent.image}`
  stderr.write(`${printable(where)}\n`)
  const progress = createProgress(stderr)
  const report = installReport(progress)
  try {
    const applied = await applyAgent(client, agent, report.object)
    // Before it is waited for: whatever comes of that, this is where it is.
    await setAgent(config, context, agent.namespace)
    const wait = { ...agent, ...applied, waitMs: options.timeout, signal, onRollout: report.rollout }
    if (options.wait) await waitForAgent(client, wait)
  } finally {
    progress.done()
    client.close()
  }
  if (agent.strictCode !== undefined) await sayWhoMay(cli, agent.namespace)
  await sayWhatNext(cli, options)
}

interface Place {
  readonly client: KubeClient
  /** The namespace that it was last installed in from here. */
  readonly known: string | undefined
}

/** What is not said stays as it was chosen before, so that running it again repairs, and changes nothing else. */
async function chooseAgent(options: InitOptions, { client, known }: Place): Promise<AgentOptions> {
  const { readSettings } = await import('../agent/install/settings.ts')
  const { defaultNamespace } = await import('../agent/install/objects.ts')
  const namespace = parseObjectName('namespace')(options.namespace ?? known ?? defaultNamespace)
  return agentOptions(options, { namespace, before: await readSettings(client, namespace) })
}

async function print(cli: Cli, options: InitOptions): Promise<void> {
  const { agentObjects, defaultNamespace } = await import('../agent/install/objects.ts')
  const { stringify } = await import('yaml')
  const namespace = parseObjectName('namespace')(options.namespace ?? defaultNamespace)
  const objects = agentObjects(await agentOptions(options, { namespace, before: undefined }))
  cli.io.stdout.write(objects.map((object) => stringify(object, { lineWidth: 0 })).join('---\n'))
}

interface Before {
  readonly namespace: string
  readonly before: AgentSettings | undefined
}

async function agentOptions(options: InitOptions, { namespace, before }: Before): Promise<AgentOptions> {
  const { defaultImage } = await import('../agent/install/objects.ts')
  const { imageName } = await import('../config/spec.ts')
  const image = options.image ?? before?.image ?? defaultImage
  if (!imageName.test(image)) throw usageError(`\`${image}\` is not the name of an image`)
  const nodeSelector = options.nodeSelector ?? before?.nodeSelector ?? {}
  return {
    namespace,
    image,
    nodeSelector,
    tolerations: options.tolerate ?? before?.tolerations ?? [],
    version,
    ...((options.strict ?? before?.strict) ? { strictCode: await readAgentCode() } : {}),
  }
}

/** Strict agents let nobody in but administrators until somebody is given a right. */
async function sayWhoMay(cli: Cli, namespace: string): Promise<void> {
  const { agentName } = await import('../agent/install/objects.ts')
  const { callerRole } = await import('../agent/install/strict.ts')
  const { stderr } = cli.io
  const grant = `kubectl create rolebinding jane -n ${namespace} --role=${callerRole(agentName)} --user=jane`
  stderr.write(describeHint(`\`${grant}\` lets somebody in, to the pods that she may patch`, stderr))
}

async function readAgentCode(): Promise<Buffer> {
  const { readFile } = await import('node:fs/promises')
  const { assetPath } = await import('../asset.ts')
  return readFile(assetPath('agent.cjs'))
}

async function sayWhatNext(cli: Cli, options: InitOptions): Promise<void> {
  const { askStatus } = await import('../daemon/client.ts')
  const { pathsOf } = await import('./paths.ts')
  const { stderr } = cli.io
  if (!options.wait) {
    stderr.write(describeHint(`it was not waited for; \`${cli.name} init\` again says how it does`, stderr))
  }
  const running = await askStatus(pathsOf(cli, options).socket)
  if (running?.watches === true) {
    if (options.watch) stderr.write(`process ${running.pid} watches already\n`)
  } else if (options.watch) {
    const { kubeconfigOf, startInBackground, takerWords } = await import('./background.ts')
    const work = { what: 'specs', kubeconfig: await kubeconfigOf(cli, options) } as const
    stderr.write(`${takerWords(await startInBackground(cli, options, work), 'watches')}\n`)
  } else {
    const hint = `\`${cli.name} create\` says what to sync, and \`${cli.name} watch -b\` syncs it`
    stderr.write(describeHint(hint, stderr))
  }
}
