import * as v from 'valibot'
import { KubesyncError, messageOf } from '../errors.ts'

/** Where a pull request is opened. */
export interface GitHub {
  /** Of the API, without a trailing slash. */
  readonly url: string
  readonly token: string
  /** `owner/name` */
  readonly repository: string
}

export interface PullRequest {
  /** Names of branches. */
  readonly head: string
  readonly base: string
  readonly title: string
  readonly body: string
}

/** `owner/name` of a remote's URL, in any of the ways in which git and ssh write it; undefined if it has no such path. */
export function repositoryIn(url: string): { readonly host: string; readonly name: string } | undefined {
  const match =
    /^(?:https?|ssh|git):\/\/(?:[^@/]*@)?([^/:]+)(?::\d+)?\/([^/]+\/[^/]+?)(?:\.git)?\/?$/.exec(url) ??
    /^(?:[^@/]*@)?([^/:]+):(?!\/)([^/]+\/[^/]+?)(?:\.git)?\/?$/.exec(url)
  return match?.[1] === undefined || match[2] === undefined ? undefined : { host: match[1], name: match[2] }
}

const openedSchema = v.object({ html_url: v.string() })
const messageSchema = v.object({
  message: v.string(),
  errors: v.optional(v.array(v.looseObject({ message: v.optional(v.string()) })), []),
})

/** Opens a pull request; its address. The token is sent to that server alone, and is in no error. GITHUB_FAILED. */
export async function openPullRequest(
  { url, token, repository }: GitHub,
  request: PullRequest,
  signal: AbortSignal,
): Promise<string> {
  const failed = (reason: string) =>
    new KubesyncError('GITHUB_FAILED', `the branch was pushed, and no pull request opened: ${reason}`, {
      hint: `open it yourself: from ${request.head} to ${request.base}`,
    })
  try {
    const response = await fetch(`${url.replace(/\/+$/, '')}/repos/${repository}/pulls`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/vnd.github+json',
        'content-type': 'application/json',
        'user-agent': 'kubesync',
      },
      body: JSON.stringify(request),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(20_000)]),
    })
    const answer: unknown = await response.json().catch(() => undefined)
    if (response.ok) return v.parse(openedSchema, answer).html_url
    const said = v.safeParse(messageSchema, answer)
    const reasons = said.success
      ? [said.output.message, ...said.output.errors.map(({ message = '' }) => message)]
      : []
    throw failed(`${response.status} ${reasons.filter((one) => one !== '').join(': ')}`.trim())
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof KubesyncError) throw error
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : ''
    throw failed(`${url} cannot be reached: ${messageOf(error)}${cause}`)
  }
}
