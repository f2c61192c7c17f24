import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'
import { installAgent, removeAgent } from './agent.ts'
import { must } from './run.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    e2e: {
      readonly place: Place
      /** Where the tests have their directories. */
      readonly homes: string
      /** What all files share; each has a sandbox of its own otherwise. */
      readonly cluster?: { readonly kubeconfig: string; readonly configuration: string }
    }
  }
}

/** Where these tests run: on `kubesync sandbox`, on what test/cluster boots, or on somebody's cluster. */
export type Place = 'sandbox' | 'cluster' | 'given'

const script = fileURLToPath(new URL('../../cluster/cluster', import.meta.url))

/** KUBESYNC_TEST_ON says where: `sandbox`, the default, or `cluster`, where the agent is installed once for all. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const homes = mkdtempSync(join(tmpdir(), 'kubesync-e2e-'))
  const on = process.env.KUBESYNC_TEST_ON ?? 'sandbox'
  if (on === 'sandbox') {
    project.provide('e2e', { place: on, homes })
    return async () => end(project, homes)
  }
  if (on !== 'cluster') throw new Error(`KUBESYNC_TEST_ON is sandbox or cluster, not ${on}`)
  const given = process.env.KUBESYNC_TEST_KUBECONFIG
  const kubeconfig = given || (await bootCluster())
  const agent = { kubeconfig, home: mkdtempSync(join(homes, 'agent-')) }
  const close = () => removeAgent(agent).finally(() => end(project, homes))
  try {
    const configuration = await installAgent(agent)
    project.provide('e2e', { place: given ? 'given' : on, homes, cluster: { kubeconfig, configuration } })
  } catch (error) {
    await close()
    throw error
  }
  return close
}

/** The cluster of test/cluster; it stays up, as booting takes longer than most tests. Its kubeconfig. */
async function bootCluster(): Promise<string> {
  await must('bash', [script, 'up'], { limit: 1_800_000 })
  return /^KUBECONFIG=(.+)$/m.exec(await must('bash', [script, 'env']))?.[1] ?? ''
}

function end(project: TestProject, homes: string): void {
  rmSync(homes, { recursive: true, force: true })
  printSkipped(project)
}

/** What this place could not show, with the reasons in the names: vitest's own report does not list it. */
function printSkipped(project: TestProject): void {
  const skipped = project.vitest.state
    .getTestModules()
    .filter((module) => module.project.name === project.name)
    .flatMap((module) => [...module.children.allTests('skipped')].map(({ fullName }) => `  ${fullName}\n`))
    // What a filter left out says no reason.
    .filter((line) => line.endsWith(')\n'))
  if (skipped.length > 0) process.stdout.write(`\nNot run here:\n${skipped.join('')}`)
}
