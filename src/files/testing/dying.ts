import { duplexPair } from '../../wire/duplex-pair.ts'
import { bindBase } from '../base/bind.ts'
import { type Disk, nodeDisk } from '../base/disk.ts'
import { openBaseStore } from '../base/store.ts'
import { connectReplica } from '../replica/client.ts'
import type { Dir } from '../replica/dir.ts'
import { openDirectory } from '../replica/open-directory.ts'
import { serveReplica } from '../replica/server.ts'
import { FaultyDir } from '../replica/testing/faulty-dir.ts'
import { startSession } from '../session.ts'
import { localTrash } from '../trash/local-trash.ts'

export interface Dying {
  readonly local: string
  readonly remote: string
  readonly basePath: string
  readonly trash: string
  /** How many calls on either side's files, on the trash and on the base are carried out. */
  readonly steps: number
  /** Ends the process, or makes every call from then on fail. */
  readonly die: () => void
}

/** The calls that were made, by what they were. */
export type Steps = ReadonlyMap<string, number>

/** Runs a session until both sides are in step, or it has died on the way. */
export async function syncUntilDeath({ local, remote, basePath, trash, steps, die }: Dying): Promise<Steps> {
  const made = new Map<string, number>()
  let isArmed = false
  let calls = 0
  const step = (operation: string) => {
    if (!isArmed) return
    if (++calls > steps) die()
    made.set(operation, (made.get(operation) ?? 0) + 1)
  }
  const open = (path: string) =>
    new FaultyDir(openDirectory(path), { before: ({ operation }) => step(operation) })
  const here = await served(local, open, trash)
  const there = await served(remote, open)
  const base = openBaseStore(basePath, dyingDisk(step))
  bindBase(base, { container: 'c', local: here.info, remote: there.info, isSuccessor: false })
  isArmed = true
  const session = startSession({ local: here, remote: there, base, mode: 'two-way-safe', settleMs: 10 })
  await session.settled()
  await session.stop()
  isArmed = false
  await Promise.all([here.close(), there.close()])
  base.close()
  return made
}

async function served(root: string, open: (path: string) => Dir, trash?: string) {
  const [here, there] = duplexPair()
  const openRoot = () => ({ dir: open(root), storage: { kind: 'local', id: '' } as const })
  void serveReplica(there, openRoot, {
    trash: trash === undefined ? undefined : localTrash(trash, root, open),
  })
  return connectReplica(here)
}

function dyingDisk(step: (operation: string) => void): Disk {
  const guarded = <A extends unknown[], R>(name: string, call: (...args: A) => R) => {
    return (...args: A): R => {
      step(`base.${name}`)
      return call(...args)
    }
  }
  return {
    read: nodeDisk.read,
    exists: nodeDisk.exists,
    close: nodeDisk.close,
    open: guarded('open', nodeDisk.open),
    write: guarded('write', nodeDisk.write),
    truncate: guarded('truncate', nodeDisk.truncate),
    sync: guarded('sync', nodeDisk.sync),
    rename: guarded('rename', nodeDisk.rename),
    makeDirectory: guarded('makeDirectory', nodeDisk.makeDirectory),
  }
}
