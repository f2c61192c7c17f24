import { mkdtempSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    report: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
  args: process.argv.slice(2).filter((arg) => arg !== '--'),
  allowPositionals: true,
})

/** Fewer and smaller, to see while developing whether something got better. */
export const quick: boolean = values.quick
export const only: readonly string[] = values.only
/** Whether to write what was measured into bench/REPORT.md. */
export const report: boolean = values.report
export const json: string | undefined = values.json

/** How often each way is measured. */
export const turns: number = quick ? 2 : 5
/** Edits a direction, after those that warm up. */
export const edits: number = quick ? 60 : 200

export const cache: string = join(homedir(), '.cache/kubesync')
/** In memory: disks are nobody's here. Processes and threads that this one starts have the same. */
export const scratch: string = process.env.KUBESYNC_BENCH_SCRATCH ?? mkdtempSync('/dev/shm/kubesync-bench-')
process.env.KUBESYNC_BENCH_SCRATCH = scratch
export const cli: string = resolve('dist/cli.js')
export const kubeconfig: string | undefined = process.env.KUBESYNC_TEST_KUBECONFIG ?? process.env.KUBECONFIG
/** Of a container with sh and tar to sync with, and of the agent. */
export const podImage: string = process.env.KUBESYNC_BENCH_IMAGE ?? 'docker.io/kubesync-test/plain:1'
export const agentImage: string = process.env.KUBESYNC_BENCH_AGENT_IMAGE ?? 'docker.io/kubesync-test/node:20'

export const environment: NodeJS.ProcessEnv = {
  ...process.env,
  ...(kubeconfig !== undefined && { KUBECONFIG: kubeconfig }),
  KUBESYNC_HOME: join(scratch, 'home'),
}

export const kubectl: string = process.env.KUBECTL ?? cachedKubectl() ?? 'kubectl'

function cachedKubectl(): string | undefined {
  const directory = join(cache, 'kubectl')
  try {
    const name = readdirSync(directory).sort().at(-1)
    return name && join(directory, name)
  } catch {
    return undefined
  }
}
