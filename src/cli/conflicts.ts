import { type Command, Option } from 'commander'
import type { Spec } from '../config/spec.ts'
import type { BoundConflict } from '../daemon/settle.ts'
import type { Version } from '../files/version.ts'
import { formatTable } from '../ui/table.ts'
import { bytes } from '../ui/text.ts'
import { newCommand } from './command.ts'
import type { Cli } from './io.ts'
import { formatManifestConflicts, manifestConflicts, nameOfConflict } from './manifest-conflicts.ts'
import { pickNamed } from './named.ts'
import { type OutputFormat, outputOption } from './options.ts'
import { printData } from './output.ts'
import { type SpecPathOptions, specPathOptions } from './spec-path.ts'
import { formatTime } from './time.ts'

interface ConflictsOptions extends SpecPathOptions {
  readonly diff?: string
  readonly output?: OutputFormat
}

/** A conflict as `-o json` prints it. */
export type ListedConflict = BoundConflict & { readonly kind: 'files'; readonly spec: string }

export function conflictsCommand(cli: Cli): Command {
  const words = {
    usage: 'conflicts [names...]',
    summary: 'Lists what changed on both sides, in files and in manifests, with both versions.',
    details:
      'It asks the running process. Of manifests, deletions that wait for an answer are listed, too. `--diff` shows what differs in a file (- is local, + is remote), by the program `diff` and with its exit codes; `resolve` settles it.',
    examples: ['conflicts', 'conflicts calm-otter -o wide', 'conflicts --diff src/main.js'],
  }
  const diff = new Option('--diff <path>', 'show what differs in this file, here and in the container')
  return newCommand(cli, words, [diff, outputOption(), ...specPathOptions()]).action(
    async (names: string[], options: ConflictsOptions) => {
      if (options.diff === undefined) return conflicts(cli, names, options)
      const { showConflict } = await import('./conflict-diff.ts')
      return showConflict(cli, options.diff, options)
    },
  )
}

async function conflicts(cli: Cli, names: readonly string[], options: ConflictsOptions): Promise<void> {
  const { askStatus } = await import('../daemon/client.ts')
  const { loadConfig } = await import('../config/store.ts')
  const { pathsOf } = await import('./paths.ts')
  const { noWatch } = await import('./spec-path.ts')
  const { config, socket } = pathsOf(cli, options)
  const { specs } = await loadConfig(config)
  const status = await askStatus(socket)
  if (status === undefined) throw noWatch(cli)
  const all = [...specs, ...status.keeps.map((kept) => ({ ...kept, name: kept.folder }))]
  const chosen = names.length === 0 ? all : pickNamed(all, names)
  const watched = chosen.filter(({ name }) => status.specs.some((spec) => spec.name === name))
  const inFiles = await listAll(cli, socket, watched)
  const inManifests = manifestConflicts(chosen.flatMap((one) => ('folder' in one ? [one] : [])))
  const found = [...inFiles, ...inManifests]
  if (found.length === 0) cli.io.stderr.write('there are no conflicts\n')
  const { output } = options
  const wide = output === 'wide'
  const paths = [...inFiles.map(({ path }) => path), ...inManifests.map(nameOfConflict)]
  await printData(cli, { format: output, data: found, names: paths }, () =>
    [
      ...(inFiles.length === 0 ? [] : [formatConflicts(inFiles, wide)]),
      ...(inManifests.length === 0 ? [] : [formatManifestConflicts(inManifests, wide)]),
    ].join('\n'),
  )
}

/** The conflicts of these specs; rejects with NO_WATCH. */
export async function listAll(
  cli: Cli,
  socket: string,
  specs: readonly Pick<Spec, 'name'>[],
): Promise<ListedConflict[]> {
  const { askConflicts } = await import('../daemon/client.ts')
  const { noWatch } = await import('./spec-path.ts')
  const kind = 'files' as const
  const found: ListedConflict[] = []
  for (const { name } of specs) {
    const ofSpec = await askConflicts(socket, name)
    if (ofSpec === undefined) throw noWatch(cli)
    found.push(...ofSpec.map((conflict) => ({ kind, spec: name, ...conflict })))
  }
  return found.sort((one, other) => (one.path < other.path ? -1 : Number(one.path > other.path)))
}

export function formatConflicts(found: readonly ListedConflict[], wide: boolean): string {
  const headers = ['spec', 'pod', 'path', 'local', 'remote']
  const rows = found.map(({ spec, pod, container, path, message, local, remote }) => [
    ...[spec, pod, path, describeVersion(local, wide), describeVersion(remote, wide)],
    ...(wide ? [container, message] : []),
  ])
  return formatTable(wide ? [...headers, 'container', 'what happened'] : headers, rows)
}

/** Characters of a digest that tell two apart. */
const SHORT = 8

/** A version in a few words: what it is, how large, of when, and its digest. */
export function describeVersion(version: Version | undefined, wide: boolean): string {
  if (version === undefined) return '-'
  const { kind, size, mtime, digest, target } = version
  if (kind === 'symlink') return `-> ${target}`
  if (size === undefined || mtime === undefined) return kind === 'opaque' ? 'cannot be synced' : kind
  const hash = digest === undefined ? [] : [wide ? digest : digest.slice(0, SHORT)]
  return [bytes(size), formatTime(Date.parse(mtime)), ...hash].join(', ')
}
