import { realpath } from 'node:fs/promises'
import { MessageChannel, Worker } from 'node:worker_threads'
import { assetPath } from '../../asset.ts'
import { KubesyncError, messageOf } from '../../errors.ts'
import { portDuplex } from '../../wire/port.ts'
import { type ConnectOptions, connectReplica } from './client.ts'
import type { Replica } from './replica.ts'

/** A tree of a million files takes half of this. */
const MAX_HEAP_MB = 2048
/** For new objects: more is kept, and used for bursts only. */
const MAX_NEW_MB = 12

export interface LocalOptions extends ConnectOptions {
  /** Where what is replaced or removed goes, an absolute path; unless given, it is gone. */
  readonly trash?: string | undefined
}

/**
 * The replica of a directory of this machine, in a thread of its own. Resolves when it has been scanned. Links on
 * the way to the directory are followed now, once. Rejects with a KubesyncError if there is no such directory.
 */
export async function openLocalReplica(
  path: string,
  { trash, ...options }: LocalOptions = {},
): Promise<Replica> {
  const real = await realpath(path).catch((error) => {
    throw new KubesyncError('NO_SUCH_DIRECTORY', `${path} cannot be synced: ${messageOf(error)}`, {
      cause: error,
    })
  })
  const { port1, port2 } = new MessageChannel()
  const transport = portDuplex(port1)
  const worker = new Worker(assetPath('replica-worker.js'), {
    workerData: { path: real, port: port2, ...(trash !== undefined && { trash }) },
    transferList: [port2],
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB, maxYoungGenerationSizeMb: MAX_NEW_MB },
  })
  worker.once('error', (error) => transport.destroy(error))
  // By itself it ends only when something is wrong.
  worker.once('exit', (code) => transport.destroy(new Error(`its thread ended with code ${code}`)))
  try {
    const replica = await connectReplica(transport, options)
    void replica.closed.then(() => worker.terminate())
    return replica
  } catch (error) {
    await worker.terminate()
    throw error
  }
}
