import { setting } from '../../config/settings.ts'
import { type CommitFile, commitFiles } from '../../git/commit.ts'
import { pushBranch } from '../../git/push.ts'
import type { Branch, Repository } from '../../git/repository.ts'
import type { Plan, ResourcePlan } from '../../manifests/plan/plan.ts'
import { count, printable } from '../../ui/text.ts'
import type { Cli } from '../io.ts'
import { describeHint } from '../report.ts'
import { settingsOf } from '../where.ts'
import type { WriteOptions } from './common.ts'
import type { Proposal } from './pull-request.ts'

interface Committing {
  readonly repository: Repository
  readonly branch: Branch
  readonly proposal: Proposal | undefined
  readonly plan: Plan
  readonly resources: readonly ResourcePlan[]
  readonly adding: string | undefined
  readonly committed: readonly CommitFile[]
}

/** Commits what was done, and pushes it, or opens a pull request, if that is wished. */
export async function commit(cli: Cli, one: Committing, options: WriteOptions): Promise<void> {
  const { repository, branch, proposal, plan, resources } = one
  const { stderr } = cli.io
  const title = titleOf(cli, plan, resources, one.adding)
  const body = resources.map(({ id }) => `- ${id}\n`).join('')
  const message = `${title}\n\n${body}`
  const onto = proposal?.ref
  const id = await commitFiles(repository, { branch, files: one.committed, message, onto })
  if (id === undefined) {
    stderr.write('git has it already: nothing was committed\n')
    return
  }
  const name = (onto ?? branch.ref).replace('refs/heads/', '')
  stderr.write(`committed ${id.slice(0, 10)} on ${printable(name)}: ${printable(title)}\n`)
  if (proposal !== undefined) return proposal.open({ title, body })
  const { upstream, ahead } = branch
  if (!setting('git.push', await settingsOf(cli, options))) return
  if (upstream === undefined || ahead > 0) {
    const why =
      upstream === undefined
        ? 'the branch has no upstream'
        : 'the branch has commits of yours that are not pushed'
    stderr.write(describeHint(`it was not pushed: ${why}; \`git push\` does it`, stderr))
    return
  }
  await pushBranch(repository, { ref: branch.ref, to: upstream })
  stderr.write(`pushed to ${printable(upstream.remote)}\n`)
}

const verbs = ['push', 'pull', 'deploy', 'promote', 'revert', 'scale', 'set'] as const

/** The first line of a message: `deploy: Deployment.apps shop/web on kind-dev`. */
export function titleOf(
  cli: Cli,
  { direction, cluster }: Plan,
  resources: readonly ResourcePlan[],
  adding = '',
): string {
  const verb = cli.args.find((word) => verbs.some((one) => one === word)) ?? direction
  const [first] = resources
  const what = resources.length === 1 && first !== undefined ? first.id : count(resources.length, 'object')
  const where = cluster.context === '' ? '' : ` on ${cluster.context}`
  return `${verb}${adding}: ${what}${where}`
}
