import { type Command, Option } from 'commander'
import { type Keep, keeps } from '../files/conflicts.ts'
import { count } from '../ui/text.ts'
import { newCommand } from './command.ts'
import type { Cli } from './io.ts'
import { type SpecPathOptions, specPathOptions } from './spec-path.ts'

interface ResolveOptions extends SpecPathOptions {
  readonly keep: Keep
}

export function resolveCommand(cli: Cli): Command {
  const words = {
    usage: 'resolve <PATH>',
    summary: 'Settles a conflict by saying which version stays.',
    details: [
      'A local version that goes is in the trash (see `undo`); one in a container is gone. `both` keeps the local version',
      'at its path and the remote one beside it, such as main.remote.js. It asks the running watch.',
    ].join(' '),
    examples: ['resolve src/main.js --keep local', 'resolve --spec calm-otter --keep both config.yaml'],
  }
  const keep = new Option('--keep <side>', 'the version that stays').choices(keeps).makeOptionMandatory()
  return newCommand(cli, words, [keep, ...specPathOptions()]).action(
    (path: string, options: ResolveOptions) => resolve(cli, path, options),
  )
}

async function resolve(cli: Cli, given: string, options: ResolveOptions): Promise<void> {
  const { askResolve } = await import('../daemon/client.ts')
  const { pathsOf } = await import('./paths.ts')
  const { noWatch, readSpecPath } = await import('./spec-path.ts')
  const { spec, path, pod } = await readSpecPath(cli, given, options)
  const { keep } = options
  const resolved = await askResolve(pathsOf(cli, options).socket, { spec, path, pod }, keep)
  if (resolved === undefined) throw noWatch(cli)
  const what = keep === 'both' ? 'both versions stay' : `the ${keep} version stays`
  cli.io.stdout.write(`${path}: ${what} (${count(resolved, 'container')})\n`)
}
