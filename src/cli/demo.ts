import { type Command, Option } from 'commander'
import { newCommand } from './command.ts'
import type { Stage } from './demo/stage.ts'
import type { Cli } from './io.ts'
import { usageError } from './values.ts'

interface DemoOptions {
  readonly yes?: true
  readonly keep?: true
}

export function demoCommand(cli: Cli): Command {
  const words = {
    usage: 'demo',
    summary: 'Shows what kubesync does, in a sandbox of its own, without a cluster.',
    details: [
      'It starts a sandbox, deploys a tiny web app in it, and syncs a folder with its container, both ways. Then its',
      'manifest is pulled, deployed, promoted and reverted. All of it is in one temporary folder, and is removed at the end.',
    ].join(' '),
    examples: ['demo', 'demo --yes', 'demo --keep'],
  }
  const options = [
    new Option('--yes', 'go on without a keypress between the steps'),
    new Option('--keep', 'leave everything running at the end, to play with'),
  ]
  return newCommand(cli, words, options).action((given: DemoOptions) => demo(cli, given))
}

async function demo(cli: Cli, options: DemoOptions): Promise<void> {
  if (options.yes !== true && process.stdin.isTTY !== true) {
    throw usageError('there is no terminal to press a key in: `demo --yes` runs it through')
  }
  const { closeStage, openStage, quietly, say, step } = await import('./demo/stage.ts')
  const { bringUp, play } = await import('./demo/story.ts')
  let stage = await openStage(cli, options.yes === true)
  cli.io.stdout.write(
    'A folder here and a folder in a container, kept equal in both directions; a manifest and a cluster, kept in step.\n',
  )
  say(stage, `Everything happens in ${stage.dir}, and on loopback. Nothing else on this machine is touched.`)
  let isKept = false
  try {
    stage = await bringUp(stage)
    await play(stage)
    isKept = options.keep === true
    if (!stage.unasked && !isKept) {
      sayHowToPlay(cli, stage)
      await step(stage, '11. The end: it all still runs, until you')
    }
  } finally {
    if (!isKept) {
      for (const args of endings) await quietly(stage, args).catch(() => {})
      await closeStage(stage)
    }
  }
  if (isKept) sayHowToGoOn(cli, stage)
  else cli.io.stdout.write('\nThe watch and the sandbox are ended, and the folder is removed.\n')
}

const endings = [
  ['watch', '--stop'],
  ['sandbox', 'down'],
] as const

function sayHowToPlay(cli: Cli, { dir, env }: Stage): void {
  const lines = [
    '',
    'To play with it, in another terminal:',
    `  cd ${dir}`,
    `  export KUBESYNC_HOME=${env.KUBESYNC_HOME} KUBECONFIG=${env.KUBECONFIG}`,
    `  ${cli.name} get`,
    '  kubectl get pods',
  ]
  cli.io.stdout.write(`${lines.join('\n')}\n`)
}

function sayHowToGoOn(cli: Cli, stage: Stage): void {
  sayHowToPlay(cli, stage)
  const commands = endings.map((args) => `${cli.name} ${args.join(' ')}`)
  cli.io.stdout.write(`To end it:\n  ${commands.join('; ')}; rm -r ${stage.dir}\n`)
}
