import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { text } from './json.ts'

const run = promisify(execFile)

/** A server to put questions to. */
export interface Target {
  readonly kind: 'sandbox' | 'cluster'
  readonly kubeconfig: string
  /** The kubectl that belongs to it, if one does. */
  readonly kubectl?: string | undefined
  close(): Promise<void>
}

/** KUBESYNC_TEST_ON says which: `sandbox`, the default, or `cluster`. */
export async function findServer(): Promise<Target> {
  const on = process.env.KUBESYNC_TEST_ON ?? 'sandbox'
  if (on === 'sandbox') return startSandbox()
  if (on === 'cluster') return findCluster()
  throw new Error(`KUBESYNC_TEST_ON is sandbox or cluster, not ${on}`)
}

/** A sandbox of the built command line, with a state of its own. */
async function startSandbox(): Promise<Target> {
  const home = await mkdtemp(join(tmpdir(), 'kubesync-contract-'))
  const cli = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url))
  const sandbox = (...args: string[]) =>
    run(process.execPath, [cli, 'sandbox', ...args], { env: { ...process.env, KUBESYNC_HOME: home } })
  const close = async () => {
    await sandbox('down')
    await rm(home, { recursive: true, force: true })
  }
  try {
    await sandbox('up', '--nodes', '2')
    const { stdout } = await sandbox('status', '--output', 'json')
    return {
      kind: 'sandbox',
      kubeconfig: text(JSON.parse(stdout), 'kubeconfig'),
      async close() {
        await sandbox('status').catch(() => tellEnd(join(home, 'logs', 'sandbox.log')))
        await close()
      },
    }
  } catch (error) {
    await close().catch(() => rm(home, { recursive: true, force: true }))
    throw error
  }
}

/** A sandbox that ended by itself has said why. */
async function tellEnd(log: string): Promise<void> {
  process.stderr.write(
    `the sandbox ended before the tests; its log:\n${(await readFile(log, 'utf8')).slice(-4000)}\n`,
  )
}

/** The cluster that KUBESYNC_TEST_KUBECONFIG names, or the one that test/cluster boots. */
async function findCluster(): Promise<Target> {
  const close = async () => {}
  const given = process.env.KUBESYNC_TEST_KUBECONFIG
  if (given) return { kind: 'cluster', kubeconfig: given, close }
  const script = fileURLToPath(new URL('../../cluster/cluster', import.meta.url))
  await run('bash', [script, 'up'])
  const { stdout } = await run('bash', [script, 'env'])
  const value = (name: string) => new RegExp(`^(?:export )?${name}=['"]?([^'"\n]*)`, 'm').exec(stdout)?.[1]
  return { kind: 'cluster', kubeconfig: value('KUBECONFIG') ?? '', kubectl: value('KUBECTL'), close }
}
