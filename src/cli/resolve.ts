import { type Command, Option } from 'commander'
import type { Spec } from '../config/spec.ts'
import { KubesyncError } from '../errors.ts'
import { type Keep, keeps } from '../files/conflicts.ts'
import { count, printable } from '../ui/text.ts'
import { newCommand } from './command.ts'
import type { Cli } from './io.ts'
import type { ManifestConflict } from './manifest-conflicts.ts'
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
    usage: 'resolve [what]',
    summary: 'Settles a conflict, or asks about one after the other.',
    details: [
      'WHAT is the path of a file, or of manifests RESOURCE or RESOURCE:FIELD, such as web:spec.replicas.',
      'A local version that goes is in the trash (see `undo`); one in a container is gone. `both` keeps the local version',
      'at its path and the remote one beside it, such as main.remote.js. `--merge` makes one text of both, shows it, and',
      'asks; where both changed the same lines it does not. Without either it shows each conflict and asks. It asks the',
      'running process.',
    ].join(' '),
    examples: [
      'resolve',
      'resolve src/main.js --keep local',
      'resolve src/main.js --merge',
      'resolve deployment/web:spec.replicas --keep remote',
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
  const inManifests = options.spec === undefined ? await conflictsIn(socket, given) : []
  if (inManifests.length > 0) return settle(cli, { socket, keep }, inManifests)
  const { spec, path, pod, root } = await readSpecPath(cli, given, options).catch(notSynced(given))
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

/** What is in no folder of a spec may have been meant for manifests. */
function notSynced(given: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof KubesyncError) || error.code !== 'NOT_SYNCED') throw error
    throw new KubesyncError('NO_SUCH_CONFLICT', `there is no conflict at ${given}`, {
      hint: '`ksync conflicts` shows those there are',
    })
  }
}

/** What a word means in the folders of manifests; all without a word. */
async function conflictsIn(socket: string, word: string | undefined): Promise<ManifestConflict[]> {
  const { askStatus } = await import('../daemon/client.ts')
  const { manifestConflicts, meantConflicts } = await import('./manifest-conflicts.ts')
  const all = manifestConflicts((await askStatus(socket))?.keeps ?? [])
  return word === undefined ? all : meantConflicts(all, word)
}

async function settle(
  cli: Cli,
  { socket, keep }: { readonly socket: string; readonly keep: Keep | undefined },
  conflicts: readonly ManifestConflict[],
): Promise<void> {
  const { nameOfConflict, refuseForManifests, settleManifests } = await import('./manifest-conflicts.ts')
  if (keep === undefined || keep === 'both') throw refuseForManifests()
  await settleManifests(cli, { socket, keep }, conflicts)
  for (const one of conflicts)
    cli.io.stdout.write(`${printable(nameOfConflict(one))}: the ${keep} version stays\n`)
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
  const { pathsOf } = await import('./paths.ts')
  const { socket } = pathsOf(cli, options)
  const inManifests = options.spec === undefined ? await conflictsIn(socket, given) : []
  const isManifest = given !== undefined && inManifests.length > 0
  const inFiles = isManifest ? [] : await chosenConflicts(cli, given, options)
  const found = [...inFiles, ...inManifests.map((one) => ({ ...one, socket }))]
  if (found.length === 0) cli.io.stderr.write('there are no conflicts\n')
  else await pickConflicts(cli, ask, found)
}

/** The specs that are synced; rejects with NO_WATCH if no process runs. */
async function watched(cli: Cli, socket: string, specs: readonly Spec[]): Promise<readonly Spec[]> {
  const { askStatus } = await import('../daemon/client.ts')
  const { noWatch } = await import('./spec-path.ts')
  const status = await askStatus(socket)
  if (status === undefined) throw noWatch(cli)
  return specs.filter(({ name }) => status.specs.some((spec) => spec.name === name))
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
  const chosen = name === undefined ? await watched(cli, socket, specs) : [named(specs, name)]
  const found = await listAll(cli, socket, chosen)
  const roots = new Map(chosen.map((spec) => [spec.name, spec.local]))
  return found
    .filter(({ path, pod }) => (spot?.path ?? path) === path && (options.pod ?? pod) === pod)
    .map((conflict) => ({ ...conflict, socket, root: roots.get(conflict.spec) ?? '' }))
}
