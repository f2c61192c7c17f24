import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { errnoOf, KubesyncError } from '../errors.ts'

interface GitOptions {
  /** Absolute path of the folder it runs in. */
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  readonly input?: string
  /** Another index than the repository's own. */
  readonly index?: string
  /** Milliseconds; 30,000 unless said. */
  readonly limitMs?: number
  readonly signal?: AbortSignal | undefined
  /** Goes on to its end if the terminal interrupts us: what is next belongs together with it. */
  readonly isFirm?: true
}

/** Git ended with something else than 0. */
export class GitError extends KubesyncError {
  readonly exitCode: number

  constructor(args: readonly string[], exitCode: number, said: string) {
    const reason = said.trim() === '' ? `exit code ${exitCode}` : said.trim()
    super('GIT_FAILED', `git ${args[0] ?? ''} failed: ${reason}`)
    this.exitCode = exitCode
  }
}

/** What tells git of another repository than that of the folder; as `git rev-parse --local-env-vars` lists it. */
const local = [
  ...['GIT_ALTERNATE_OBJECT_DIRECTORIES', 'GIT_CONFIG', 'GIT_OBJECT_DIRECTORY', 'GIT_DIR', 'GIT_WORK_TREE'],
  ...['GIT_IMPLICIT_WORK_TREE', 'GIT_GRAFT_FILE', 'GIT_INDEX_FILE', 'GIT_NO_REPLACE_OBJECTS'],
  ...['GIT_REPLACE_REF_BASE', 'GIT_PREFIX', 'GIT_SHALLOW_FILE', 'GIT_COMMON_DIR', 'GIT_NAMESPACE'],
  ...['GIT_GLOB_PATHSPECS', 'GIT_NOGLOB_PATHSPECS', 'GIT_ICASE_PATHSPECS'],
]

/**
 * Runs the user's git, without a shell, and resolves with its stdout. Paths are names and no patterns; nobody is asked for a password;
 * the index is not refreshed in passing. Rejects with GIT_FAILED, GIT_LATE or GIT_MISSING.
 */
export async function git(args: readonly string[], options: GitOptions): Promise<string> {
  const { cwd, input, index, signal, limitMs = 30_000 } = options
  const limit = AbortSignal.timeout(limitMs)
  const isFirm = options.isFirm === true
  const child = spawn('git', args, {
    ...{ cwd, env: gitEnv(options.env, index), stdio: 'pipe', detached: isFirm },
    signal: signal === undefined || isFirm ? limit : AbortSignal.any([signal, limit]),
  })
  child.stdin.on('error', () => {}).end(input ?? '')
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  try {
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
    if (code !== 0) throw new GitError(args, code ?? -1, stderr)
    return stdout
  } catch (error) {
    if (!isFirm) signal?.throwIfAborted()
    if (limit.aborted) {
      throw new KubesyncError('GIT_LATE', `git ${args[0] ?? ''} has not ended after ${limitMs / 1000} s`)
    }
    if (errnoOf(error) !== 'ENOENT') throw error
    throw new KubesyncError('GIT_MISSING', 'git cannot be started: it is not installed, or not on the PATH')
  }
}

function gitEnv(given: NodeJS.ProcessEnv, index: string | undefined): NodeJS.ProcessEnv {
  const kept = Object.entries(given).filter(([name]) => !local.includes(name))
  const ours = { LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0', GIT_LITERAL_PATHSPECS: '1', GIT_OPTIONAL_LOCKS: '0' }
  return { ...Object.fromEntries(kept), ...ours, ...(index !== undefined && { GIT_INDEX_FILE: index }) }
}

/** The same for what may say no by ending with 1; undefined then. */
export async function gitMaybe(args: readonly string[], options: GitOptions): Promise<string | undefined> {
  try {
    return await git(args, options)
  } catch (error) {
    if (error instanceof GitError && error.exitCode === 1) return undefined
    throw error
  }
}
