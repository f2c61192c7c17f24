import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import type { Repository } from '../../git/repository.ts'
import type { Result } from '../../manifests/carry/carry.ts'
import { choiceOf, type Plan, type ResourcePlan, type Selection } from '../../manifests/plan/plan.ts'
import type { Prepared } from '../../manifests/survey/facts.ts'

/** What is carried out. */
export interface Chosen {
  readonly prepared: Pick<Prepared, 'plan' | 'texts'>
  readonly selection: Selection
}

/** All objects of a plan, whatever differs of them. */
export function wholeOf({ resources }: Plan): Selection {
  return new Map(resources.map(({ id }) => [id, 'all']))
}

/** Whether anything was chosen at all. */
export function isAnything(selection: Selection): boolean {
  return [...selection.values()].some((choice) =>
    typeof choice === 'string' ? choice !== 'none' : [...choice.values()].some((one) => one !== 'leave'),
  )
}

/** Files in a repository: by their paths below the root, what they are called there. */
interface Located {
  readonly files: ReadonlyMap<string, string>
}

/** Looks at the repository of a work tree. */
type Look<One> = (tree: string) => Promise<One>

/** What a file is to an operation: about to be written, or what goes to the cluster as it is. */
export type Use = 'written' | 'read'

/** The files of what was chosen: those that are about to be written, and those that go to the cluster as they are. */
export function filesIn({ prepared: { plan }, selection }: Chosen): ReadonlyMap<string, Use> {
  const files = new Map<string, Use>()
  for (const resource of plan.resources) {
    const { id, differences, place } = resource
    const choices = differences.map((difference) =>
      choiceOf(selection, { direction: plan.direction, resource: id, difference }),
    )
    const writes = plan.direction === 'push' ? 'reverse' : 'take'
    // Whoever moves about what is in a document chooses it whole, and no field of it.
    const isMoved = differences.length === 0 && selection.get(id) === 'all'
    if (place.file === '') continue
    if (isMoved || choices.includes(writes)) files.set(place.file, 'written')
    else if (choices.some((choice) => choice !== 'leave') && !files.has(place.file))
      files.set(place.file, 'read')
  }
  return files
}

/** The objects that were chosen, of some files. */
export function resourcesIn(
  { prepared: { plan }, selection }: Chosen,
  files: Located['files'],
): readonly ResourcePlan[] {
  return plan.resources.filter(
    ({ id, place }) => files.has(place.file) && (selection.get(id) ?? 'none') !== 'none',
  )
}

/** Objects of which something was done, and nothing failed. */
export function doneIn({ resources }: Plan, results: readonly Result[]): readonly ResourcePlan[] {
  const failed = new Set(results.flatMap(({ id, reason }) => (reason === '' ? [] : [id])))
  const touched = new Set(results.map(({ id }) => id))
  return resources.filter(({ id }) => touched.has(id) && !failed.has(id))
}

/** Sorts files by the repositories that they are in; those that are in none are left out. */
export async function gather<One extends { readonly repository: Repository }>(
  root: string,
  files: readonly string[],
  at: Look<One>,
): Promise<readonly (One & Located)[]> {
  const found = new Map<string, One & { readonly files: Map<string, string> }>()
  for (const file of files) {
    const path = real(resolve(root, file))
    const tree = workTreeOf(path)
    if (tree === undefined) continue
    const here = found.get(tree) ?? { ...(await at(tree)), files: new Map<string, string>() }
    here.files.set(file, relative(here.repository.top, path))
    found.set(tree, here)
  }
  return [...found.values()]
}

/** A path without links, as far as it is there. */
export function real(path: string): string {
  return existsSync(path) || dirname(path) === path
    ? realpathSync(path)
    : join(real(dirname(path)), basename(path))
}

/** The nearest folder around a path that is the top of a work tree, or of a submodule; undefined if there is none. */
export function workTreeOf(path: string): string | undefined {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git'))) return folder
    if (dirname(folder) === folder) return undefined
  }
}
