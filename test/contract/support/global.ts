import type { TestProject } from 'vitest/node'
import { type Advertised, advertised } from './advertised.ts'
import { Client } from './client.ts'
import { readKubeconfig } from './kubeconfig.ts'
import { findKubectl } from './kubectl.ts'
import { report } from './report.ts'
import { findServer } from './target.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    kubeconfig: string
    server: Advertised
    /** The real kubectl; undefined where there is none. */
    kubectl: string | undefined
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const target = await findServer()
  try {
    const client = new Client(readKubeconfig(target.kubeconfig))
    const server = await advertised(client)
    client.close()
    project.provide('kubeconfig', target.kubeconfig)
    project.provide('server', server)
    project.provide('kubectl', await findKubectl(target.kubectl))
    return async () => {
      await target.close()
      report(project, `${target.kind} ${server.version}`)
    }
  } catch (error) {
    await target.close()
    throw error
  }
}
