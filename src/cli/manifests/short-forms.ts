import { Argument, type Command, Option } from 'commander'
import { newCommand } from '../command.ts'
import type { Cli } from '../io.ts'
import { parseCount, usageError } from '../values.ts'
import { containerOption, type DeployOptions, deploy, deployOptions, nothingAsked } from './deploy.ts'

const parseReplicas = parseCount(0, 1_000_000)

interface ScaleOptions extends DeployOptions {
  readonly replicas?: number
}

/** `scale web 3`, and as kubectl has it, `scale deployment/web --replicas=3`. */
export function scaleCommand(cli: Cli): Command {
  const words = {
    usage: 'scale <what...>',
    summary: 'Changes the number of replicas, in the file and in the cluster: `deploy --scale` in short.',
    details: 'The number comes last, or as --replicas.',
    examples: ['scale web 3', 'scale deployment/web --replicas=3'],
  }
  const replicas = new Option('--replicas <count>', 'how many').argParser(parseReplicas)
  return newCommand(cli, words, [replicas, ...deployOptions()]).action(
    (given: string[], options: ScaleOptions) => {
      const what = options.replicas === undefined ? given.slice(0, -1) : given
      if (what.length === 0) throw usageError('it takes what is to be scaled, and the number of replicas')
      const replicas = options.replicas ?? parseReplicas(given.at(-1) ?? '')
      return deploy(cli, { what, asked: { ...nothingAsked, replicas } }, options)
    },
  )
}

interface SetOptions extends DeployOptions {
  readonly container?: string
  readonly limits?: string
  readonly requests?: string
}

type Part = 'image' | 'env' | 'resources'

/** As kubectl has it: `set image deployment/web web=web:2`, `set env deployment/web A=1 B-`, `set resources web --limits=cpu=1`. */
export function setCommand(cli: Cli): Command {
  const words = {
    usage: 'set',
    summary: 'Changes images, variables or resources, in the file and in the cluster, as `deploy` does.',
    examples: [
      'set image deployment/web web=web:2',
      'set env deployment/web LOG_LEVEL=debug OLD-',
      'set resources deployment/web --limits=cpu=500m,memory=1Gi --requests=cpu=100m',
    ],
  }
  const options = [
    new Option('--limits <amounts>', 'resources: at most, as in `cpu=1,memory=1Gi`; 0 takes one away'),
    new Option('--requests <amounts>', 'resources: at least'),
    containerOption(),
    ...deployOptions(),
  ]
  return newCommand(cli, words, options)
    .addArgument(new Argument('<part>', 'what of it').choices(['image', 'env', 'resources']))
    .argument('<what...>', 'the object, and for images and variables what they are to be')
    .action((part: Part, given: string[], options: SetOptions) => set(cli, { part, given }, options))
}

function set(cli: Cli, { part, given }: { part: Part; given: readonly string[] }, options: SetOptions) {
  const { limits, requests, container } = options
  const isChange = (word: string) => word.includes('=') || (part === 'env' && /^\w+-$/.test(word))
  const [what, changes] = [given.filter((word) => !isChange(word)), given.filter(isChange)]
  const hasAmounts = limits !== undefined || requests !== undefined
  if (hasAmounts !== (part === 'resources'))
    throw usageError('--limits and --requests are for `set resources`')
  if (changes.length > 0 === (part === 'resources')) {
    throw usageError(`\`set ${part}\` takes an object${part === 'resources' ? '' : ', and NAME=VALUE'}`)
  }
  const asked = {
    ...{ ...nothingAsked, container, resources: { limits, requests } },
    ...(part === 'image' && { images: changes }),
    ...(part === 'env' && { env: changes }),
  }
  return deploy(cli, { what, asked }, options)
}
