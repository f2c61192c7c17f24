import { join } from 'node:path'
import { setting } from '../../config/settings.ts'
import { KubesyncError } from '../../errors.ts'
import { refuseMixed } from '../../git/files.ts'
import { type Branch, notReady, openRepository, type Repository, readyBranch } from '../../git/repository.ts'
import type { Result } from '../../manifests/carry/carry.ts'
import type { ResourcePlan } from '../../manifests/plan/plan.ts'
import type { Session } from '../../manifests/session.ts'
import { printable } from '../../ui/text.ts'
import type { Cli } from '../io.ts'
import { describeError, describeHint } from '../report.ts'
import { usageError } from '../values.ts'
import { settingsOf } from '../where.ts'
import type { WriteOptions } from './common.ts'
import { commit, titleOf } from './git-commit.ts'
import {
  type Chosen,
  doneIn,
  filesIn,
  gather,
  isAnything,
  real,
  resourcesIn,
  type Use,
  wholeOf,
  workTreeOf,
} from './git-files.ts'
import { type Proposal, propose } from './pull-request.ts'

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
  options: GitOptions,
): Promise<GitKeeper | undefined> {
  if (options.git === false && options.pullRequest === true) throw usageError('a pull request takes a commit')
  const settings = await settingsOf(cli, options)
  const isAsked = options.git === true || options.pullRequest === true
  if (options.git === false || !(isAsked || setting('git.commit', settings))) return undefined
  const context = { env: cli.io.env, signal: cli.io.signal }
  const fetches = setting('git.fetch', settings)
  const fetched = new Set<string>()
  const at = async (tree: string) => {
    const repository = await openRepository(tree, context)
    const asks = fetches && !fetched.has(repository.top)
    fetched.add(repository.top)
    return { repository, branch: await readyBranch(repository, { asks }) }
  }
  const tree = workTreeOf(join(real(session.root), '.git'))
  if (tree === undefined) {
    const what = `${session.root} is in no git repository`
    if (isAsked)
      throw new KubesyncError('GIT_NOT_READY', what, { hint: '`git init` makes one, or leave --git out' })
    cli.io.stderr.write(describeHint(`nothing is committed: ${what}`, cli.io.stderr))
    return undefined
  }
  await at(tree)
  return keeperOf(cli, { session, options, at })
}

/**
 * The same for taking back what was just written, which git must not keep anybody from: where it is not ready that is said, and nothing is
 * committed.
 */
export async function openGitBack(
  cli: Cli,
  { session, prepared }: { readonly session: Session; readonly prepared: Chosen['prepared'] },
  options: WriteOptions,
): Promise<GitKeeper | undefined> {
  const { pullRequest: _, ...others } = options
  const wanted = options.pullRequest === true ? { ...others, git: true } : others
  try {
    const git = await openGit(cli, session, { ...wanted, adding: ' (going back)' })
    await git?.before({ prepared, selection: wholeOf(prepared.plan) })
    return git
  } catch (error) {
    if (!(error instanceof KubesyncError)) throw error
    const why = error.message.replace(/^nothing was written: /, '')
    cli.io.stderr.write(describeHint(`going back is not committed: ${why}`, cli.io.stderr))
    return undefined
  }
}

/** The flags, and what is added to the words of a commit for the command. */
interface GitOptions extends WriteOptions {
  readonly adding?: string
}

interface Keeping {
  readonly session: Pick<Session, 'root' | 'written'>
  readonly options: GitOptions
  /** The repository of a work tree, and its branch as it stands now. */
  readonly at: (tree: string) => Promise<Pick<Involved, 'repository' | 'branch'>>
}

function keeperOf(cli: Cli, { session, options, at }: Keeping): GitKeeper {
  let chosen: Chosen | undefined
  let involved: readonly Involved[] = []
  return {
    async before(now) {
      chosen = now
      const files = filesIn(now)
      const located = await gather(session.root, [...files.keys()], at)
      if (options.pullRequest === true && located.length === 0 && isAnything(now.selection)) {
        throw notReady('no file in git would change: there is nothing to propose', 'leave --pull-request out')
      }
      involved = await Promise.all(
        located.map(async (one) => {
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
      try {
        for (const one of involved) await commitOf(cli, { ...one, session, chosen, results, isOpen }, options)
        if (involved.length === 0 && results.some(({ reason }) => reason === '')) {
          cli.io.stderr.write(describeHint('nothing was committed: none of it is in a file', cli.io.stderr))
        }
      } catch (error) {
        if (!(error instanceof KubesyncError)) throw error
        // What was written stays, and what follows goes on.
        cli.io.stderr.write(describeError(error, { verbose: cli.verbose, stderr: cli.io.stderr }))
        cli.exitCode = 1
      }
      session.written.clear()
    },
  }
}

interface Ended extends Involved, Pick<Keeping, 'session'> {
  readonly chosen: Chosen
  readonly results: readonly Result[]
  readonly isOpen: (resource: ResourcePlan) => boolean
}

/** Commits what was done in one repository. */
async function commitOf(cli: Cli, ended: Ended, options: GitOptions): Promise<void> {
  const { session, chosen, results, isOpen, files, ...where } = ended
  const { plan, texts } = chosen.prepared
  const resources = doneIn(plan, results).filter(({ place }) => files.has(place.file))
  const touched = new Set(resources.map(({ place }) => place.file))
  const committed = [...files].flatMap(([file, path]) => {
    if (!touched.has(file)) return []
    if (session.written.has(file)) return [{ path, text: session.written.get(file) }]
    const text = texts.get(file)
    if (text === undefined || plan.direction !== 'push') return []
    const isWhole = plan.resources.every((other) => other.place.file !== file || !isOpen(other))
    if (!isWhole) sayPartly(cli, file)
    return isWhole ? [{ path, text }] : []
  })
  if (committed.length === 0) return
  await commit(cli, { ...where, plan, resources, committed, adding: options.adding }, options)
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
