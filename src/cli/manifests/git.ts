import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { setting } from '../../config/settings.ts'
import { KubesyncError } from '../../errors.ts'
import { refuseMixed } from '../../git/files.ts'
import { type Branch, findRepository, type Repository, readyBranch } from '../../git/repository.ts'
import type { Result } from '../../manifests/carry/carry.ts'
import { choiceOf, type Plan, type ResourcePlan, type Selection } from '../../manifests/plan/plan.ts'
import type { Session } from '../../manifests/session.ts'
import type { Prepared } from '../../manifests/survey/facts.ts'
import { printable } from '../../ui/text.ts'
import type { Cli } from '../io.ts'
import { describeHint } from '../report.ts'
import { usageError } from '../values.ts'
import { settingsOf } from '../where.ts'
import type { WriteOptions } from './common.ts'
import { commit, titleOf } from './git-commit.ts'
import { type Proposal, propose } from './pull-request.ts'

/** What is carried out. */
interface Chosen {
  readonly prepared: Pick<Prepared, 'plan' | 'texts'>
  readonly selection: Selection
}

/** Keeps git in step with what is written. */
export interface GitKeeper {
  /** Before a write: rejects with GIT_NOT_READY if its commit could not be made, or would take along anything else. */
  before(chosen: Chosen): Promise<void>
  /** After it: commits what was done, and pushes it if that is wished. `isOpen` is what was not done of an object. */
  after(results: readonly Result[], isOpen: (resource: ResourcePlan) => boolean): Promise<void>
}

/** A repository with files of this operation in it. */
interface Involved {
  readonly repository: Repository
  readonly branch: Branch
  /** By their paths below the root; what they are called in the repository. */
  readonly files: ReadonlyMap<string, string>
  readonly proposal: Proposal | undefined
}

/** What commits, if a flag or the configuration wants that; it says before anything is asked if it could not. */
export async function openGit(
  cli: Cli,
  session: Pick<Session, 'root' | 'written'>,
  options: WriteOptions,
): Promise<GitKeeper | undefined> {
  if (options.git === false && options.pullRequest === true) throw usageError('a pull request takes a commit')
  const settings = await settingsOf(cli, options)
  const isAsked = options.git === true || options.pullRequest === true
  if (options.git === false || !(isAsked || setting('git.commit', settings))) return undefined
  const context = { env: cli.io.env, signal: cli.io.signal }
  const fetches = setting('git.fetch', settings)
  const fetched = new Set<string>()
  const at = async (folder: string) => {
    const repository = await findRepository(folder, context)
    if (repository === undefined) return undefined
    const asks = fetches && !fetched.has(repository.top)
    fetched.add(repository.top)
    return { repository, branch: await readyBranch(repository, { asks }) }
  }
  if ((await at(existing(session.root))) === undefined) {
    const what = `${session.root} is in no git repository`
    if (isAsked)
      throw new KubesyncError('GIT_NOT_READY', what, { hint: '`git init` makes one, or leave --git out' })
    cli.io.stderr.write(describeHint(`nothing is committed: ${what}`, cli.io.stderr))
    return undefined
  }
  return keeperOf(cli, { session, options, at })
}

interface Keeping {
  readonly session: Pick<Session, 'root' | 'written'>
  readonly options: WriteOptions
  /** The repository of a folder, and its branch as it stands now. */
  readonly at: (folder: string) => Promise<Pick<Involved, 'repository' | 'branch'> | undefined>
}

function keeperOf(cli: Cli, { session, options, at }: Keeping): GitKeeper {
  let chosen: Chosen | undefined
  let involved: readonly Involved[] = []
  return {
    async before(now) {
      chosen = now
      const files = filesIn(now)
      involved = await gather(session.root, [...files.keys()], at)
      involved = await Promise.all(
        involved.map(async (one) => {
          const of = (use: Use) =>
            [...one.files].flatMap(([file, path]) => (files.get(file) === use ? [path] : []))
          const ignored = await refuseMixed(one.repository, { written: of('written'), read: of('read') })
          sayIgnored(cli, ignored)
          const kept = new Map([...one.files].filter(([, path]) => !ignored.has(path)))
          const title = titleOf(cli, now.prepared.plan, resourcesIn(now, kept))
          const proposal =
            options.pullRequest === true ? await propose(cli, { ...one, title }, options) : undefined
          return { ...one, files: kept, proposal }
        }),
      )
    },
    async after(results, isOpen) {
      if (chosen === undefined) return
      const { plan } = chosen.prepared
      const done = doneIn(plan, results)
      for (const one of involved) {
        const resources = done.filter(({ place }) => one.files.has(place.file))
        const files = [...one.files].filter(([file]) => resources.some(({ place }) => place.file === file))
        const committed = files.flatMap(([file, path]) => {
          if (session.written.has(file)) return [{ path, text: session.written.get(file) }]
          const text = chosen?.prepared.texts.get(file)
          if (text === undefined || plan.direction !== 'push') return []
          const isWhole = plan.resources.every((other) => other.place.file !== file || !isOpen(other))
          if (!isWhole) sayPartly(cli, file)
          return isWhole ? [{ path, text }] : []
        })
        if (committed.length > 0) await commit(cli, { ...one, plan, resources, committed }, options)
      }
      session.written.clear()
    },
  }
}

type Use = 'written' | 'read'

/** The files of what was chosen: those that are about to be written, and those that go to the cluster as they are. */
function filesIn({ prepared: { plan }, selection }: Chosen): ReadonlyMap<string, Use> {
  const files = new Map<string, Use>()
  for (const resource of plan.resources) {
    const { id, differences, place } = resource
    const choices = differences.map((difference) =>
      choiceOf(selection, { direction: plan.direction, resource: id, difference }),
    )
    const writes = plan.direction === 'push' ? 'reverse' : 'take'
    if (choices.includes(writes)) files.set(place.file, 'written')
    else if (choices.some((choice) => choice !== 'leave') && !files.has(place.file))
      files.set(place.file, 'read')
  }
  return files
}

function resourcesIn(
  { prepared: { plan }, selection }: Chosen,
  files: Involved['files'],
): readonly ResourcePlan[] {
  return plan.resources.filter(
    ({ id, place }) => files.has(place.file) && (selection.get(id) ?? 'none') !== 'none',
  )
}

/** Objects of which something was done, and nothing failed. */
function doneIn({ resources }: Plan, results: readonly Result[]): readonly ResourcePlan[] {
  const failed = new Set(results.flatMap(({ id, reason }) => (reason === '' ? [] : [id])))
  const touched = new Set(results.map(({ id }) => id))
  return resources.filter(({ id }) => touched.has(id) && !failed.has(id))
}

/** Sorts files by the repositories that they are in; those that are in none are left out. */
async function gather(
  root: string,
  files: readonly string[],
  at: Keeping['at'],
): Promise<readonly Involved[]> {
  const folders = new Map<string, Awaited<ReturnType<Keeping['at']>>>()
  const found = new Map<string, Involved & { files: Map<string, string> }>()
  for (const file of files) {
    const path = real(resolve(root, file))
    const folder = existing(dirname(path))
    if (!folders.has(folder)) folders.set(folder, await at(folder))
    const one = folders.get(folder)
    if (one === undefined) continue
    const { top } = one.repository
    const here = found.get(top) ?? { ...one, files: new Map(), proposal: undefined }
    here.files.set(file, relative(top, path))
    found.set(top, here)
  }
  return [...found.values()]
}

/** A path without links, as far as it is there. */
function real(path: string): string {
  return existsSync(path) || dirname(path) === path
    ? realpathSync(path)
    : join(real(dirname(path)), basename(path))
}

function existing(folder: string): string {
  return existsSync(folder) ? folder : existing(dirname(folder))
}

function sayIgnored({ io: { stderr } }: Cli, ignored: ReadonlySet<string>): void {
  for (const path of ignored) {
    stderr.write(describeHint(`${printable(path)} is ignored by git, and not committed`, stderr))
  }
}

function sayPartly({ io: { stderr } }: Cli, file: string): void {
  const hint = `${printable(file)} is not committed: not all that it says is in the cluster`
  stderr.write(describeHint(hint, stderr))
}
