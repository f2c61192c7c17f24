import { fileURLToPath } from 'node:url'
import { must } from './run.ts'
import { fault } from './sandbox.ts'
import { surroundings } from './surroundings.ts'

const { socket } = surroundings
const script = fileURLToPath(new URL('../../cluster/cluster', import.meta.url))

/** The API server, as a machine that fails would treat it: it is killed, not asked. */
export const apiServer = {
  stop: () => control('stop-server', 'stop-apiserver'),
  start: () => control('start-server', 'start-apiserver'),
  async restart() {
    await apiServer.stop()
    await apiServer.start()
  },
}

async function control(inSandbox: string, inCluster: string): Promise<void> {
  if (socket === undefined) await must('bash', [script, inCluster], { limit: 240_000 })
  else await fault(socket, { fault: inSandbox })
}
