import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, inject } from 'vitest'
import { installAgent } from './agent.ts'
import { startSandbox } from './sandbox.ts'

/** Where the tests of a file run. */
interface Surroundings {
  readonly kubeconfig: string
  /** kubesync's configuration as `init` left it. */
  readonly configuration: string
  /** Where the sandbox listens for faults. */
  readonly socket?: string
}

/** A directory that is gone after the tests. */
export function newHome(): string {
  return mkdtempSync(join(inject('e2e').homes, 'home-'))
}

/** The cluster, which all files share, or a sandbox that no other file uses. */
export const surroundings: Surroundings = inject('e2e').cluster ?? (await openSandbox())

async function openSandbox(): Promise<Surroundings> {
  const home = newHome()
  const sandbox = await startSandbox(home)
  const close = async () => {
    await sandbox.close()
    rmSync(home, { recursive: true, force: true })
  }
  try {
    const configuration = await installAgent({ kubeconfig: sandbox.kubeconfig, home })
    afterAll(close)
    return { ...sandbox, configuration }
  } catch (error) {
    await close()
    throw error
  }
}
