import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { must } from './run.ts'

export const cli: string = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url))

/** The agent's image; a cluster that is not ours needs one it can get, and a sandbox none. */
export const agentImage: string = process.env.KUBESYNC_TEST_AGENT_IMAGE ?? 'docker.io/kubesync-test/node:20'

/** Where the agent runs in these tests; other installations in the cluster are left alone. */
export const agentNamespace = 'kubesync-e2e'

/** Where to install it: a cluster, and a home for kubesync that is used for nothing else. */
interface Where {
  readonly kubeconfig: string
  readonly home: string
}

/** Installs the agent; kubesync's configuration as `init` left it. */
export async function installAgent(where: Where): Promise<string> {
  await ksync(where, 'init', '--image', agentImage)
  return readFileSync(join(where.home, 'config'), 'utf8')
}

export async function removeAgent(where: Where): Promise<void> {
  await ksync(where, 'clean')
}

async function ksync({ kubeconfig, home }: Where, command: string, ...flags: string[]): Promise<void> {
  const env = { ...process.env, KUBECONFIG: kubeconfig, KUBESYNC_HOME: home, KUBESYNC_CONFIG: '' }
  await must(process.execPath, [cli, command, '--namespace', agentNamespace, ...flags], { env })
}
