import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { KubesyncError } from '../errors.ts'
import { GitError, git, gitMaybe } from './git.ts'

/** A work tree of a repository: that of a worktree or submodule, where the folder is in one. */
export interface Repository {
  /** Absolute path, without links. */
  readonly top: string
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
}

/** The branch that is checked out, as it stood when it was looked at. */
export interface Branch {
  /** `refs/heads/main` */
  readonly ref: string
  /** Its last commit; undefined where there is none yet. */
  readonly head: string | undefined
  readonly upstream: Upstream | undefined
  /** Commits that the upstream does not have. */
  readonly ahead: number
}

export interface Upstream {
  readonly remote: string
  /** There. */
  readonly ref: string
}

/** How long a remote may take to say what it has, in milliseconds. */
const fetchMs = 20_000

/** The repository that a folder is in. Rejects with GIT_FAILED if it is in none, or git does not trust it. */
export async function openRepository(
  folder: string,
  { env, signal }: Pick<Repository, 'env' | 'signal'>,
): Promise<Repository> {
  const top = await git(['rev-parse', '--show-toplevel'], { cwd: folder, env, signal })
  return { top: top.replace(/\n$/, ''), env, signal }
}

/**
 * The branch, if a commit can be made on it: nothing is half done in the work tree, and the remote, which is asked if `asks`, has nothing
 * that is not here. GIT_NOT_READY says what to type.
 */
export async function readyBranch(
  repository: Repository,
  { asks }: { readonly asks: boolean },
): Promise<Branch> {
  const at = { ...repository, cwd: repository.top }
  const ref = (await gitMaybe(['symbolic-ref', '--quiet', 'HEAD'], at))?.trim()
  if (ref === undefined) throw notReady('no branch is checked out', 'check one out: `git switch BRANCH`')
  await refuseHalfDone(repository)
  // Who has no name cannot commit; better to know it before anything is written.
  for (const who of ['GIT_AUTHOR_IDENT', 'GIT_COMMITTER_IDENT']) {
    await git(['var', who], at).catch((error: unknown) => {
      if (!(error instanceof GitError)) throw error
      throw notReady('git does not know who you are', '`git config user.name NAME`, and user.email ADDRESS')
    })
  }
  const head = (await gitMaybe(['rev-parse', '--quiet', '--verify', 'HEAD'], at))?.trim()
  const format = '--format=%(upstream)%00%(upstream:remotename)%00%(upstream:remoteref)'
  const [tracking = '', remote = '', remoteRef = ''] = (await git(['for-each-ref', format, ref], at))
    .trim()
    .split('\0')
  if (head === undefined || tracking === '') return { ref, head, upstream: undefined, ahead: 0 }
  if (asks && remote !== '.') await fetch(repository, { remote, ref: remoteRef })
  const upstream = remote === '.' ? undefined : { remote, ref: remoteRef }
  // An upstream that is gone has nothing that is not here.
  if ((await gitMaybe(['rev-parse', '--quiet', '--verify', tracking], at)) === undefined) {
    return { ref, head, upstream, ahead: 0 }
  }
  const counts = await git(['rev-list', '--left-right', '--count', `HEAD...${tracking}`], at)
  const [ahead = 0, behind = 0] = counts.trim().split('\t').map(Number)
  const theirs = tracking.replace(/^refs\/(?:remotes|heads)\//, '')
  if (behind > 0) {
    const both = ahead > 0 ? ' and the branch here has others' : ''
    const what = `${theirs} has ${behind} commit${behind === 1 ? '' : 's'} that are not here${both}`
    throw notReady(what, ahead > 0 ? '`git pull --rebase` brings them together' : '`git pull` brings them')
  }
  return { ref, head, upstream, ahead }
}

const halfDone: readonly (readonly [name: string, what: string, end: string])[] = [
  ['MERGE_HEAD', 'a merge', 'git merge --continue'],
  ['rebase-merge', 'a rebase', 'git rebase --continue'],
  ['rebase-apply', 'a rebase', 'git rebase --continue'],
  ['CHERRY_PICK_HEAD', 'a cherry-pick', 'git cherry-pick --continue'],
  ['REVERT_HEAD', 'a revert', 'git revert --continue'],
]

async function refuseHalfDone({ top, env, signal }: Repository): Promise<void> {
  const names = halfDone.flatMap(([name]) => ['--git-path', name])
  const paths = (await git(['rev-parse', ...names], { cwd: top, env, signal })).split('\n')
  const found = halfDone.find((_, index) => existsSync(resolve(top, paths[index] ?? '')))
  if (found === undefined) return
  const [, what, end] = found
  throw notReady(`${what} is in progress`, `end it first: \`${end}\`, or --abort`)
}

async function fetch({ top, env, signal }: Repository, { remote, ref }: Upstream): Promise<void> {
  const args = ['fetch', '--quiet', '--no-tags', '--no-recurse-submodules', remote, ref]
  try {
    await git(args, { cwd: top, env, signal, limitMs: fetchMs })
  } catch (error) {
    // The branch is gone there: whoever pushes makes it anew.
    if (error instanceof GitError && error.message.includes("couldn't find remote ref")) return
    if (!(error instanceof KubesyncError) || error.code === 'GIT_MISSING') throw error
    throw new KubesyncError('GIT_NOT_READY', `${remote} cannot be asked what it has: ${error.message}`, {
      hint: 'to go on without that: `ksync configure set git.fetch false`, or KUBESYNC_GIT_FETCH=false once',
      cause: error,
    })
  }
}

export function notReady(what: string, hint: string): KubesyncError {
  return new KubesyncError('GIT_NOT_READY', `nothing was written: ${what}`, { hint })
}
