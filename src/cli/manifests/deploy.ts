import { type Command, Option } from 'commander'
import type { Asked } from '../../manifests/deploy/wishes.ts'
import { newCommand } from '../command.ts'
import type { Cli } from '../io.ts'
import { parseCount, parseDuration, usageError } from '../values.ts'
import { atDesk, manifestOptions, type WriteOptions, writeOptions } from './common.ts'

/** How a deployment is carried out, whatever it changes. */
export interface DeployOptions extends WriteOptions {
  readonly wait: boolean
  readonly timeout: number
  readonly rollbackOnFailure?: true
}

interface Asking extends DeployOptions {
  readonly image?: readonly string[]
  readonly set?: readonly string[]
  readonly setEnv?: readonly string[]
  readonly scale?: number
  readonly container?: string
}

export function deployCommand(cli: Cli): Command {
  const words = {
    usage: 'deploy <what...>',
    summary: 'Changes an object in its file and in the cluster as one step, and waits until it runs.',
    details:
      'WHAT is a file, or the name of an object in one of the files below this folder, with or without its type. If one side cannot be changed, the other is put back. If the rollout fails, it says why and offers to go back. A field is named by its path; `null` as a value takes it away, as NAME- does it for a variable.',
    examples: [
      'deploy web --image web:2',
      'deploy web --image sidecar=proxy:3 --scale 5',
      'deploy web.yaml --set-env LOG_LEVEL=debug --set-env OLD-',
      "deploy web --set 'spec.template.spec.containers[name=web].resources.limits.cpu=500m'",
      'deploy web --image web:2 -f --rollback-on-failure',
    ],
  }
  return newCommand(cli, words, [...askingOptions(), ...deployOptions()]).action(
    (what: string[], options: Asking) => deploy(cli, { what, asked: askedBy(options) }, options),
  )
}

function askingOptions(): Option[] {
  return [
    repeated('--image <[container=]image>', 'the image of a container; `*` means all but init containers'),
    repeated('--set <path=value>', 'a field, as in `spec.replicas=3`; a value is read as in YAML'),
    repeated('--set-env <name=value>', 'a variable of a container'),
    new Option('--scale <count>', 'the number of replicas').argParser(parseCount(0, 1_000_000)),
    containerOption(),
  ]
}

export function containerOption(): Option {
  return new Option('--container <name>', 'whose variables and resources are meant, if there are several')
}

/** An option that may be given several times. */
function repeated(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text: string, before: readonly string[] | undefined) => [
    ...(before ?? []),
    text,
  ])
}

/** What all commands take that deploy. */
export function deployOptions(): Option[] {
  return [...rolloutOptions(), ...writeOptions(), ...manifestOptions()]
}

/** How rollouts are waited for, and what happens when they fail. */
export function rolloutOptions(): Option[] {
  return [
    new Option('--no-wait', 'do not wait for the rollout'),
    new Option('--timeout <time>', 'how long to wait for anything')
      .default(300_000, '5m')
      .argParser(parseDuration),
    new Option('--rollback-on-failure', 'go back if the rollout fails, without asking'),
  ]
}

export const nothingAsked: Asked = {
  images: [],
  fields: [],
  env: [],
  replicas: undefined,
  resources: { limits: undefined, requests: undefined },
  container: undefined,
}

function askedBy({ image = [], set = [], setEnv = [], scale, container }: Asking): Asked {
  if (image.length + set.length + setEnv.length === 0 && scale === undefined) {
    throw usageError('nothing is to be changed', 'say what, with --image, --set, --set-env or --scale')
  }
  return { ...nothingAsked, images: image, fields: set, env: setEnv, replicas: scale, container }
}

interface Deployment {
  readonly what: readonly string[]
  readonly asked: Asked
}

/** Shows a change of one object, asks, makes it in file and cluster, and follows the rollout. */
export async function deploy(cli: Cli, { what, asked }: Deployment, options: DeployOptions): Promise<void> {
  await atDesk(cli, { options, words: what }, async ({ session, words, read }) => {
    const { surveyDeploy } = await import('../../manifests/deploy/survey.ts')
    const { carryChange } = await import('../../manifests/carry/change.ts')
    const { podsBefore, follow } = await import('./rollout.ts')
    const { settle } = await import('./carry.ts')
    const survey = async () => {
      const prepared = await surveyDeploy(session, await read(), { words, asked })
      return { ...prepared, pods: await podsBefore(session, prepared) }
    }
    const { prepared, results } = await settle(cli, {
      ...{ session, survey, options, waits: false, timeoutMs: options.timeout },
      carry: ({ prepared, selection }, how) =>
        carryChange(session, { prepared, selection, command: spoken(cli, prepared.facts) }, how),
    })
    const isDone = results.some(({ what }) => what === 'changed')
    if (isDone && options.wait) await follow(cli, { session, prepared }, options)
  })
}

/** The words of the command line; what is set in a Secret is nobody's to read. */
function spoken({ args }: Cli, facts: ReadonlyMap<string, { identity: { kind: string } }>): string {
  const isSecret = [...facts.values()].some(({ identity }) => identity.kind === 'Secret')
  return args.map((word) => (isSecret ? word.replace(/=[\s\S]*/, '=(left out)') : word)).join(' ')
}
