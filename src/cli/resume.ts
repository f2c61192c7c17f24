import type { Command } from 'commander'
import { KubesyncError } from '../errors.ts'
import { count } from '../ui/text.ts'
import { newCommand } from './command.ts'
import type { Cli } from './io.ts'
import { type ConfigOptions, configOptions } from './options.ts'

export function resumeCommand(cli: Cli): Command {
  const words = {
    usage: 'resume <NAME>',
    summary: 'Goes on with a spec that was halted: what it was about to delete is deleted.',
    details:
      '`get` says why a spec is halted. A folder that is missing keeps it halted until the folder is back.',
    examples: ['resume calm-otter'],
  }
  return newCommand(cli, words, configOptions()).action((name: string, options: ConfigOptions) =>
    resume(cli, name, options),
  )
}

async function resume(cli: Cli, name: string, options: ConfigOptions): Promise<void> {
  const { askResume } = await import('../daemon/client.ts')
  const { pathsOf } = await import('./paths.ts')
  const resumed = await askResume(pathsOf(cli, options).socket, name)
  if (resumed === undefined) {
    throw new KubesyncError('NO_WATCH', 'no watch runs', {
      hint: `\`${cli.name} watch\` starts one; \`${cli.name} run --yes\` syncs without asking`,
    })
  }
  const what = resumed === 0 ? 'is not halted' : `goes on with ${count(resumed, 'container')}`
  cli.io.stdout.write(`${name} ${what}\n`)
}
