import { realpath } from 'node:fs/promises'
import { Option } from 'commander'
import type { Spec } from '../config/spec.ts'
import { KubesyncError } from '../errors.ts'
import type { Cli } from './io.ts'
import { type ConfigOptions, configOptions } from './options.ts'
import { spotOf } from './undo-select.ts'

/** A path in a synced folder, and if need be whose. */
export interface SpecPathOptions extends ConfigOptions {
  readonly spec?: string
  readonly pod?: string
}

export function specPathOptions(): Option[] {
  return [
    new Option('--spec <name>', 'the spec that it belongs to; the path is relative to its folder'),
    new Option('--pod <name>', 'the pod, if several have a version of their own'),
    ...configOptions(),
  ]
}

/** What a path on the command line means. */
export interface SpecPath {
  readonly spec: string
  /** Relative to the spec's folder, `/`-separated. */
  readonly path: string
  readonly pod?: string | undefined
  /** Absolute path of the folder, links followed. */
  readonly root: string
}

/** Finds the spec whose folder a path lies in. Rejects with NOT_SYNCED, or NO_SUCH_SPEC. */
export async function readSpecPath(cli: Cli, given: string, options: SpecPathOptions): Promise<SpecPath> {
  const { loadConfig, named } = await import('../config/store.ts')
  const { pathsOf } = await import('./paths.ts')
  const { specs } = await loadConfig(pathsOf(cli, options).config)
  const candidates = options.spec === undefined ? specs : [named(specs, options.spec)]
  const roots = new Map<string, Spec>()
  for (const spec of candidates) roots.set(await realpath(spec.local).catch(() => spec.local), spec)
  const from = options.spec === undefined ? cli.io.cwd : [...roots.keys()][0]
  const spot = await spotOf(given, from ?? cli.io.cwd, roots.keys())
  const spec = spot && roots.get(spot.root)
  if (spot === undefined || spec === undefined) {
    throw new KubesyncError('NOT_SYNCED', `${given} is in no folder that is synced`, {
      hint: `\`${cli.name} list\` shows the folders`,
    })
  }
  return { spec: spec.name, path: spot.path, pod: options.pod, root: spot.root }
}

export function noWatch({ name }: Cli): KubesyncError {
  return new KubesyncError('NO_WATCH', 'no watch runs', { hint: `\`${name} watch\` starts one` })
}
