import { type Command, Option } from 'commander'
import type { UninstallEvent } from '../agent/install/uninstall.ts'
import { createProgress, type Progress } from '../ui/progress.ts'
import { printable } from '../ui/text.ts'
import { newCommand } from './command.ts'
import type { Cli } from './io.ts'
import {
  type ConfigOptions,
  type ConfirmOptions,
  configOptions,
  confirmOption,
  type KubeOptions,
  kubeOptions,
} from './options.ts'
import { parseDuration, parseObjectName } from './values.ts'

interface CleanOptions extends KubeOptions, ConfigOptions, ConfirmOptions {
  readonly timeout: number
}

export function cleanCommand(cli: Cli): Command {
  const words = {
    usage: 'clean',
    summary: 'Removes from a cluster everything that `init` made.',
    details:
      'A namespace that was there before, or that holds anything else, stays. Specs, and files on both sides, stay too.',
    examples: ['clean', 'clean --context staging --namespace tools'],
  }
  const timeout = new Option('--timeout <time>', 'how long to wait until all is gone')
  return newCommand(cli, words, [
    timeout.argParser(parseDuration).default(120_000, '2m'),
    confirmOption(),
    ...kubeOptions('namespace of the agent (default: the one it is in, or kubesync)'),
    ...configOptions(),
  ]).action((options: CleanOptions) => clean(cli, options))
}

async function clean(cli: Cli, options: CleanOptions): Promise<void> {
  const { connect } = await import('./connect.ts')
  const { pathsOf } = await import('./paths.ts')
  const { loadConfig, setAgent } = await import('../config/store.ts')
  const { defaultNamespace } = await import('../agent/install/objects.ts')
  const { uninstall } = await import('../agent/install/uninstall.ts')
  const { config } = pathsOf(cli, options)
  const { agents } = await loadConfig(config)
  const client = await connect(cli, { ...options, namespace: undefined })
  const { name: context } = client.context
  const { mayWrite } = await import('./manifests/guard.ts')
  if (!(await mayWrite(cli, { context }, options))) {
    client.close()
    cli.exitCode = 1
    return
  }
  const namespace = parseObjectName('namespace')(options.namespace ?? agents[context] ?? defaultNamespace)
  const { stderr, signal } = cli.io
  stderr.write(`context ${printable(context)}, namespace ${namespace}\n`)
  const progress = createProgress(stderr)
  const deleted: string[] = []
  try {
    await uninstall(client, { namespace, timeoutMs: options.timeout, signal }, (event) => {
      report(progress, event)
      if (event.type === 'deleted') deleted.push(event.name)
    })
  } finally {
    progress.done()
    client.close()
  }
  if (agents[context] === namespace) await setAgent(config, context, undefined)
  if (deleted.length === 0) stderr.write('there is nothing of kubesync to remove\n')
}

function report(progress: Progress, event: UninstallEvent): void {
  const name = `${event.kind} ${printable(event.name)}`
  progress.update(event.type === 'deleting' ? `${name}: deleting` : '')
  if (event.type === 'deleted') progress.line(`${name}: deleted`)
  if (event.type === 'left') progress.line(`${name}: left as it is: ${printable(event.reason)}`)
}
