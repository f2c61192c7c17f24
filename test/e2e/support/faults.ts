import { fileURLToPath } from 'node:url'
import { must } from './run.ts'

const script = fileURLToPath(new URL('../../cluster/cluster', import.meta.url))

/** The API server, as a machine that fails would treat it: it is killed, not asked. */
export const apiServer = {
  stop: () => clusterScript('stop-apiserver'),
  start: () => clusterScript('start-apiserver'),
  restart: () => clusterScript('restart-apiserver'),
}

async function clusterScript(command: string): Promise<void> {
  await must('bash', [script, command], { limit: 240_000 })
}
