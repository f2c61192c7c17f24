import { Argument, type Command, Option } from 'commander'
import { newCommand } from './command.ts'
import type { Cli } from './io.ts'
import {
  type ConfigOptions,
  configOptions,
  contextOptions,
  type KubeOptions,
  type OutputFormat,
  outputOption,
} from './options.ts'
import { usageError } from './values.ts'

export interface EnvOptions extends ConfigOptions, Pick<KubeOptions, 'context' | 'kubeconfig'> {
  readonly output?: OutputFormat
  readonly pin?: true
  readonly kubectl?: true
}

const actions = ['context', 'namespace', 'show'] as const

export function envCommand(cli: Cli): Command {
  const words = {
    usage: 'env',
    summary: 'Picks the context and namespace that commands mean.',
    details: [
      'Without an action it lets you pick both from lists that typing narrows down. It changes what kubesync means: its own',
      "setting, or with --pin that of this folder's manifests. The kubeconfig, and so what kubectl means, stays as it is",
      "without --kubectl. `show` tells what holds here and who says so: a flag, the pin of the folder, kubesync's setting",
      'or the kubeconfig, in this order.',
    ].join(' '),
    examples: ['env', 'env context kind-dev', 'env namespace shop', 'env context staging --pin', 'env show'],
  }
  const options = [
    new Option('--pin', 'for the manifests of this folder: writes .kubesync.yaml'),
    new Option('--kubectl', 'in the kubeconfig too, for kubectl and others'),
    outputOption(),
  ]
  return newCommand(cli, words, [...options, ...contextOptions(), ...configOptions()])
    .addArgument(new Argument('[action]', 'what to do').choices(actions))
    .argument('[name]', 'of the context or namespace')
    .action((action: (typeof actions)[number] | undefined, name: string | undefined, given: EnvOptions) =>
      env(cli, { action, name }, given),
    )
}

/** What is to be meant; undefined leaves what is. */
export interface Wanted {
  readonly context: string | undefined
  readonly namespace: string | undefined
}

interface Asked {
  readonly action: (typeof actions)[number] | undefined
  readonly name: string | undefined
}

async function env(cli: Cli, { action, name }: Asked, options: EnvOptions): Promise<void> {
  const { showEnv } = await import('./env/show.ts')
  if (action === 'show') {
    if (name !== undefined) throw usageError('`env show` takes no name')
    return showEnv(cli, options)
  }
  if (options.output !== undefined) throw usageError('--output is for `env show`')
  if (options.context !== undefined && action !== 'namespace') {
    throw usageError('which context is meant is what `env` changes', `say \`${cli.name} env context NAME\``)
  }
  const wanted = await choose(cli, { action, name }, options)
  if (wanted === undefined) {
    cli.io.stderr.write('nothing was changed\n')
    cli.exitCode = 1
    return
  }
  const { setEnv } = await import('./env/set.ts')
  await setEnv(cli, wanted, options)
}

/** What was named, or is picked now; undefined if the person leaves. */
async function choose(cli: Cli, { action, name }: Asked, options: EnvOptions): Promise<Wanted | undefined> {
  const { pickContext, pickNamespace } = await import('./env/pick.ts')
  const context = action === 'namespace' ? undefined : (name ?? (await pickContext(cli, options)))
  if (context === undefined && action !== 'namespace') return undefined
  if (action === 'context') return { context, namespace: undefined }
  const named = action === 'namespace' ? name : undefined
  const inContext = context === undefined ? options : { ...options, context }
  const namespace = named ?? (await pickNamespace(cli, inContext))
  return namespace === undefined ? undefined : { context, namespace }
}
