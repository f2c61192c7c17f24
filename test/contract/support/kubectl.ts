import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

const version = 'v1.36.3'

/** The first minor version that speaks WebSockets for port-forward. */
const oldest = 31

/**
 * The real kubectl: the one that is given or that KUBESYNC_TEST_KUBECTL names, one that was built before, one on
 * the PATH that is new enough, or one that is built now, where there is Go. Undefined if there is none.
 */
export async function findKubectl(given?: string): Promise<string | undefined> {
  const named = process.env.KUBESYNC_TEST_KUBECTL ?? given
  if (named) return named
  const built = join(cacheDir(), `kubectl-${version}`)
  if (existsSync(built)) return built
  const minor = await output('kubectl', ['version', '--client', '-o', 'json'])
  if (Number(/"minor": *"(\d+)/.exec(minor ?? '')?.[1]) >= oldest) return 'kubectl'
  if ((await output('go', ['version'])) === undefined) return undefined
  process.stderr.write(`building kubectl ${version} into ${cacheDir()}; this takes some minutes, once\n`)
  const script = fileURLToPath(new URL('build-kubectl.sh', import.meta.url))
  return (await output('bash', [script, version, built])) === undefined ? undefined : built
}

function cacheDir(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'kubesync', 'kubectl')
}

async function output(command: string, args: string[]): Promise<string | undefined> {
  try {
    return (await run(command, args)).stdout
  } catch {
    return undefined
  }
}
