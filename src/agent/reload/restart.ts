import { KubesyncError } from '../../errors.ts'
import { findContainer, isAlive, isOf, processesOf } from '../radar.ts'
import { blockSize } from './block.ts'
import { programOf } from './check.ts'
import { execute, seize } from './in-place.ts'
import { companions, end, zombiesOf } from './members.ts'
import { openMemory } from './process.ts'
import { recover } from './recover.ts'
import { release } from './release.ts'

/**
 * Ends a container's other processes and has its first one execute itself again: with the arguments and the environment
 * that it began with, and without the container noticing.
 */
export async function restartInPlace(containerId: string, procfs: string): Promise<void> {
  const first = findContainer(containerId, procfs)
  if (first === undefined) throw gone()
  const memory = openMemory(first.pid)
  try {
    if (!isAlive(first) || !isOf(first.pid, containerId, procfs)) throw gone()
    await recover(first.pid, memory)
    const program = programOf(first.pid, memory)
    const others = () => companions(first, processesOf(containerId, procfs))
    const room = blockSize({ ...program, zombies: others().length + maxZombies })
    const surgery = await seize(first.pid, memory, room)
    try {
      await execute(surgery, async () => {
        await end(others)
        return { ...program, zombies: Math.min(zombiesOf(first.pid), maxZombies) }
      })
    } catch (error) {
      await release(surgery)
      throw error
    }
  } finally {
    memory.close()
  }
}

/** More of them are reaped the next time. */
const maxZombies = 10_000

function gone(): KubesyncError {
  return new KubesyncError('CONTAINER_GONE', 'no process of the container runs on this node')
}
