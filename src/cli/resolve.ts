import { type Command, Option } from 'commander'
import { KubesyncError } from '../errors.ts'
import { type Keep, keeps } from '../files/conflicts.ts'
import { count } from '../ui/text.ts'
import { newCommand } from './command.ts'
import type { Cli } from './io.ts'
import type { PickedConflict } from './pick-conflicts.ts'
import { type SpecPathOptions, specPathOptions } from './spec-path.ts'
import { usageError } from './values.ts'

interface ResolveOptions extends SpecPathOptions {
  readonly keep?: Keep
  readonly merge?: true
  readonly yes?: true
}

export function resolveCommand(cli: Cli): Command {
  const words = {
    usage: 'resolve [PATH]',
    summary: 'Settles a conflict, or asks about one after the other.',
    details: [
      'A local version that goes is in the trash (see `undo`); one in a container is gone. `both` keeps the local version',
      'at its path and the remote one beside it, such as main.remote.js. `--merge` makes one text of both, shows it, and',
      'asks; where both changed the same lines it does not. Without either it shows each conflict and asks. It asks the',
      'running watch.',
    ].join(' '),
    examples: [
      'resolve',
      'resolve src/main.js --keep local',
      'resolve src/main.js --merge',
      'resolve --spec calm-otter --keep both config.yaml',
    ],
  }
  return newCommand(cli, words, [
    new Option('--keep <side>', 'the version that stays').choices(keeps),
    new Option('--merge', 'merge both versions of a text').conflicts('keep'),
    new Option('--yes', 'merge without asking'),
    ...specPathOptions(),
  ]).action((path: string | undefined, options: ResolveOptions) => resolve(cli, path, options))
}

async function resolve(cli: Cli, given: string | undefined, options: ResolveOptions): Promise<void> {
  const { pathsOf } = await import('./paths.ts')
  const { noWatch, readSpecPath } = await import('./spec-path.ts')
  const { keep, merge } = options
  if (keep === undefined && merge === undefined) return pick(cli, given, options)
  if (given === undefined) throw usageError('which conflict?', '`ksync conflicts` shows their paths')
  const { socket } = pathsOf(cli, options)
  const { spec, path, pod, root } = await readSpecPath(cli, given, options)
  if (keep === undefined) {
    const { mergeShown } = await import('./merge-text.ts')
    const isDone = await mergeShown(cli, { socket, spec, path, pod, root }, options.yes === true)
    cli.io.stdout.write(`${path}: ${isDone ? 'merged' : 'nothing was changed'}\n`)
    if (!isDone) cli.exitCode = 1
    return
  }
  const { askResolve } = await import('../daemon/client.ts')
  const resolved = await askResolve(socket, { spec, path, pod }, keep)
  if (resolved === undefined) throw noWatch(cli)
  const what = keep === 'both' ? 'both versions stay' : `the ${keep} version stays`
  cli.io.stdout.write(`${path}: ${what} (${count(resolved, 'container')})\n`)
}

/** Asks about each conflict, or about those at a path. */
async function pick(cli: Cli, given: string | undefined, options: ResolveOptions): Promise<void> {
  const { pickConflicts } = await import('./pick-conflicts.ts')
  const { ask } = cli.io
  if (ask === undefined) {
    throw new KubesyncError('NOT_CONFIRMED', 'there is nobody to ask which version stays', {
      hint: 'say `--keep local`, `remote` or `both`, or `--merge`',
    })
  }
  const found = await chosenConflicts(cli, given, options)
  if (found.length === 0) cli.io.stderr.write('there are no conflicts\n')
  else await pickConflicts(cli, ask, found)
}

async function chosenConflicts(
  cli: Cli,
  given: string | undefined,
  options: ResolveOptions,
): Promise<PickedConflict[]> {
  const { loadConfig, named } = await import('../config/store.ts')
  const { listAll } = await import('./conflicts.ts')
  const { pathsOf } = await import('./paths.ts')
  const { readSpecPath } = await import('./spec-path.ts')
  const { config, socket } = pathsOf(cli, options)
  const { specs } = await loadConfig(config)
  const spot = given === undefined ? undefined : await readSpecPath(cli, given, options)
  const name = spot?.spec ?? options.spec
  const chosen = name === undefined ? specs : [named(specs, name)]
  const found = await listAll(cli, socket, chosen)
  const roots = new Map(chosen.map((spec) => [spec.name, spec.local]))
  return found
    .filter(({ path, pod }) => (spot?.path ?? path) === path && (options.pod ?? pod) === pod)
    .map((conflict) => ({ ...conflict, socket, root: roots.get(conflict.spec) ?? '' }))
}
