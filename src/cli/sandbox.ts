import { Argument, type Command, Option } from 'commander'
import { newCommand } from './command.ts'
import type { Cli } from './io.ts'
import { type OutputFormat, outputOption } from './options.ts'
import { parseCount, usageError } from './values.ts'

export interface SandboxOptions {
  readonly nodes: number
  readonly foreground?: true
  readonly output?: OutputFormat
}

export function sandboxCommand(cli: Cli): Command {
  const words = {
    usage: 'sandbox',
    summary: 'A small cluster on this machine, to try things on: no Kubernetes needed.',
    details: [
      'up starts one in the background, down ends it and removes everything of it, status tells of it, which is also what',
      'happens without either. Its containers are processes of your own, with all your rights: NO ISOLATION. Run nothing',
      'in it that you would not run in a terminal. It has a kubeconfig of its own; yours is left alone.',
    ].join(' '),
    examples: ['sandbox up', 'sandbox up --nodes 2', 'sandbox status -o json', 'sandbox down'],
  }
  const options = [
    new Option('--nodes <number>', 'up: how many nodes').argParser(parseCount(1, 16)).default(1),
    new Option('--foreground', 'up: stay, until interrupted'),
    outputOption(),
  ]
  const action = new Argument('[action]', 'what to do').choices(['up', 'down', 'status'])
  return newCommand(cli, words, options)
    .addArgument(action)
    .action((given: string | undefined, chosen: SandboxOptions) => sandbox(cli, given, chosen))
}

async function sandbox(cli: Cli, action: string | undefined, options: SandboxOptions): Promise<void> {
  if (action !== 'up' && options.foreground) throw usageError('--foreground is for `sandbox up`')
  if ((action === 'up' || action === 'down') && options.output !== undefined) {
    throw usageError('--output is for `sandbox status`')
  }
  if (action === 'down') return (await import('./sandbox-down.ts')).down(cli)
  if (action !== 'up') return (await import('./sandbox-status.ts')).status(cli, options.output)
  const { up, upInForeground } = await import('./sandbox-up.ts')
  await (options.foreground ? upInForeground(cli, options) : up(cli, options))
}
