import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'
import { must } from './run.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    e2e: Surroundings
  }
}

/** What the tests find when they begin. */
export interface Surroundings {
  readonly place: Place
  readonly kubeconfig: string
  readonly agentImage: string
  readonly agentNamespace: string
  /** kubesync's configuration as `init` left it. */
  readonly configuration: string
  /** The directory of the sandbox's state. */
  readonly sandbox?: string
}

/** Where these tests run: on `kubesync sandbox`, on what test/cluster boots, or on somebody's cluster. */
export type Place = 'sandbox' | 'cluster' | 'given'

interface Opened {
  readonly place: Place
  readonly kubeconfig: string
  readonly sandbox?: string
  close(): Promise<void>
}

const cli = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url))
const script = fileURLToPath(new URL('../../cluster/cluster', import.meta.url))

const agentImage = process.env.KUBESYNC_TEST_AGENT_IMAGE ?? 'docker.io/kubesync-test/node:20'
const agentNamespace = 'kubesync-e2e'

/** Opens the place that KUBESYNC_TEST_ON names, and installs the agent there, once for all tests. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = mkdtempSync(join(tmpdir(), 'kubesync-e2e-'))
  const opened = await open(process.env.KUBESYNC_TEST_ON ?? 'sandbox', home)
  const env = { ...process.env, KUBECONFIG: opened.kubeconfig, KUBESYNC_HOME: home, KUBESYNC_CONFIG: '' }
  const ksync = (...args: string[]) => must(process.execPath, [cli, ...args], { env })
  const close = async () => {
    await ksync('clean', '--namespace', agentNamespace).finally(opened.close)
    rmSync(home, { recursive: true, force: true })
    printSkipped(project)
  }
  try {
    await ksync('init', '--image', agentImage, '--namespace', agentNamespace)
  } catch (error) {
    await close()
    throw error
  }
  const { place, kubeconfig, sandbox } = opened
  const configuration = readFileSync(join(home, 'config'), 'utf8')
  project.provide('e2e', {
    ...{ place, kubeconfig, agentImage, agentNamespace, configuration },
    ...(sandbox === undefined ? {} : { sandbox }),
  })
  return close
}

async function open(on: string, home: string): Promise<Opened> {
  if (on === 'sandbox') return openSandbox(home)
  if (on !== 'cluster') throw new Error(`KUBESYNC_TEST_ON is sandbox or cluster, not ${on}`)
  const given = process.env.KUBESYNC_TEST_KUBECONFIG
  return given ? { place: 'given', kubeconfig: given, close: async () => {} } : openCluster()
}

/** A sandbox of the built command line, which nobody else uses. */
async function openSandbox(home: string): Promise<Opened> {
  const env = { ...process.env, KUBESYNC_HOME: home, KUBESYNC_CONFIG: '' }
  await must(process.execPath, [cli, 'sandbox', 'up'], { env })
  const sandbox = join(home, 'sandbox')
  const close = async () => {
    await must(process.execPath, [cli, 'sandbox', 'down'], { env })
  }
  return { place: 'sandbox', kubeconfig: join(sandbox, 'kubeconfig'), sandbox, close }
}

/** The cluster that test/cluster boots; it stays up, as booting takes longer than most tests. */
async function openCluster(): Promise<Opened> {
  await must('bash', [script, 'up'], { limit: 1_800_000 })
  const kubeconfig = /^KUBECONFIG=(.+)$/m.exec(await must('bash', [script, 'env']))?.[1] ?? ''
  return { place: 'cluster', kubeconfig, close: async () => {} }
}

/** What did not run, with the reasons in the names: vitest's own report does not list it. */
function printSkipped(project: TestProject): void {
  const skipped = project.vitest.state
    .getTestModules()
    .filter((module) => module.project.name === project.name)
    .flatMap((module) => [...module.children.allTests('skipped')].map(({ fullName }) => `  ${fullName}\n`))
  if (skipped.length > 0) process.stdout.write(`\nNot run here:\n${skipped.join('')}`)
}
