import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'
import { must } from './run.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    kubeconfig: string
    kubectl: string
    ownsCluster: boolean
  }
}

/** Finds the cluster: the one KUBESYNC_TEST_KUBECONFIG names, or the one that test/cluster boots. */
export default async function setup(project: TestProject): Promise<void> {
  const given = process.env.KUBESYNC_TEST_KUBECONFIG
  if (given) {
    project.provide('kubeconfig', given)
    project.provide('kubectl', process.env.KUBESYNC_TEST_KUBECTL ?? 'kubectl')
    project.provide('ownsCluster', false)
    return
  }
  const script = fileURLToPath(new URL('../../cluster/cluster', import.meta.url))
  await must('bash', [script, 'up'], { limit: 1_800_000 })
  const env = Object.fromEntries(
    (await must('bash', [script, 'env'])).split('\n').map((line) => {
      const [key = '', value = ''] = line.replace(/^export /, '').split('=')
      return [key, value.replace(/^['"]|['"]$/g, '')]
    }),
  )
  project.provide('kubeconfig', env.KUBECONFIG ?? '')
  project.provide('kubectl', env.KUBECTL ?? 'kubectl')
  project.provide('ownsCluster', true)
}
