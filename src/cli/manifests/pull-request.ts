import { setting } from '../../config/settings.ts'
import { openPullRequest, repositoryIn } from '../../git/github.ts'
import { freeBranch, pushBranch, remoteUrl, usualRemote } from '../../git/push.ts'
import { type Branch, notReady, type Repository, type Upstream } from '../../git/repository.ts'
import { printable } from '../../ui/text.ts'
import type { Cli } from '../io.ts'
import { describeHint } from '../report.ts'
import { settingsOf } from '../where.ts'
import type { WriteOptions } from './common.ts'

/** A branch for one commit, and the pull request for it. */
export interface Proposal {
  /** `refs/heads/kubesync/…` */
  readonly ref: string
  /** Pushes the branch, and opens the request. */
  open(words: { readonly title: string; readonly body: string }): Promise<void>
}

interface Proposing {
  readonly repository: Repository
  readonly branch: Branch
  /** Of the commit; the branch is called after it. */
  readonly title: string
}

/** Finds out, before anything is written, whether a pull request could be opened, and as what. GIT_NOT_READY says what is missing. */
export async function propose(
  cli: Cli,
  { repository, branch, title }: Proposing,
  options: WriteOptions,
): Promise<Proposal> {
  const settings = await settingsOf(cli, options)
  const [token, url] = [setting('github.token', settings), setting('github.url', settings)]
  if (token === undefined) {
    throw notReady(
      'a pull request takes a token',
      'put one into $GITHUB_TOKEN, which may write contents and pull requests',
    )
  }
  const remote = branch.upstream?.remote ?? (await usualRemote(repository))
  const found = remote === undefined ? undefined : repositoryIn((await remoteUrl(repository, remote)) ?? '')
  const isThere = found !== undefined && (url !== 'https://api.github.com' || found.host === 'github.com')
  if (remote === undefined || !isThere) {
    throw notReady(
      'the repository is none of GitHub',
      '`github.url` in the configuration names a server of GitHub Enterprise',
    )
  }
  const ref = await freeBranch(repository, `kubesync/${slug(title)}`)
  const base = shortOf((branch.upstream ?? branch).ref)
  return {
    ref,
    async open({ title, body }) {
      const { signal, stderr, stdout } = cli.io
      const to: Upstream = { remote, ref }
      await pushBranch(repository, { ref, to })
      const request = { head: shortOf(ref), base, title, body }
      const address = await openPullRequest({ url, token, repository: found.name }, request, signal)
      stdout.write(`${printable(address)}\n`)
      const hint = `${printable(shortOf(ref))} is checked out now; \`git switch ${printable(shortOf(branch.ref))}\` goes back`
      stderr.write(describeHint(hint, stderr))
    },
  }
}

function shortOf(ref: string): string {
  return ref.replace('refs/heads/', '')
}

/** `promote: Deployment.apps shop/web on prod` as `promote-deployment.apps-shop-web-on-prod`: what a branch may be called. */
function slug(title: string): string {
  const words = title.toLowerCase().replace(/[^a-z0-9.]+/g, '-')
  return (
    words
      .replace(/\.{2,}|\.lock$/g, '-')
      .replace(/^[-.]+|[-.]+$/g, '')
      .slice(0, 80) || 'change'
  )
}
