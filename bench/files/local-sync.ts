/** Two local directories, without Kubernetes: the engine alone, in a process of its own. */
import { join } from 'node:path'
import { bindBase } from '../../src/files/base/bind.ts'
import { openBaseStore } from '../../src/files/base/store.ts'
import { openLocalReplica } from '../../src/files/replica/local.ts'
import { startSession } from '../../src/files/session.ts'
import { compileLess } from '../../src/tuning.ts'

export async function localSync(from: string, to: string, state: string): Promise<void> {
  compileLess()
  const [local, remote] = await Promise.all([openLocalReplica(from), openLocalReplica(to)])
  const base = openBaseStore(join(state, 'base'))
  bindBase(base, { container: 'none', local: local.info, remote: remote.info, isSuccessor: false })
  const session = startSession({ local, remote, base, mode: 'two-way-safe' })
  const { entries, conflicts, problems } = await session.settled()
  await session.stop()
  await Promise.all([local.close(), remote.close()])
  base.close()
  const isDone = entries.local === entries.remote && conflicts.length + problems.length === 0
  if (!isDone) throw new Error(`${entries.remote} of ${entries.local} entries arrived`)
}
