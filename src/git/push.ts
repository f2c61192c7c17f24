import { KubesyncError, messageOf } from '../errors.ts'
import { git, gitMaybe } from './git.ts'
import type { Repository, Upstream } from './repository.ts'

/** How long a push may take, its hooks included, in milliseconds. */
const pushMs = 120_000

/** Pushes a branch. GIT_PUSH where that fails; the commit stays. */
export async function pushBranch(
  { top, env, signal }: Repository,
  { ref, to }: { readonly ref: string; readonly to: Upstream },
): Promise<void> {
  try {
    await git(['push', '--quiet', to.remote, `${ref}:${to.ref}`], { cwd: top, env, signal, limitMs: pushMs })
  } catch (error) {
    signal.throwIfAborted()
    throw new KubesyncError('GIT_PUSH', `it was committed, and not pushed: ${messageOf(error)}`, {
      hint: '`git push` tries again',
      cause: error,
    })
  }
}

/** The remote that a branch without an upstream is pushed to: `origin`, or the only one. */
export async function usualRemote(repository: Repository): Promise<string | undefined> {
  const names = (await git(['remote'], { ...repository, cwd: repository.top })).split('\n').filter(Boolean)
  return names.length === 1 ? names[0] : names.find((name) => name === 'origin')
}

/** The URL of a remote as it is configured, before anything is put in its place. */
export async function remoteUrl(repository: Repository, remote: string): Promise<string | undefined> {
  const at = { ...repository, cwd: repository.top }
  return (await gitMaybe(['config', '--get', `remote.${remote}.url`], at))?.trim()
}

/** The first of `name`, `name-2`, `name-3`… that no branch here has, as a ref. */
export async function freeBranch(repository: Repository, name: string): Promise<string> {
  const at = { ...repository, cwd: repository.top }
  for (let number = 1; ; number += 1) {
    const ref = `refs/heads/${name}${number === 1 ? '' : `-${number}`}`
    if ((await gitMaybe(['rev-parse', '--quiet', '--verify', ref], at)) === undefined) return ref
  }
}
