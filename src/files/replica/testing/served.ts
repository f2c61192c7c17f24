import { onTestFinished } from 'vitest'
import { duplexPair } from '../../../wire/duplex-pair.ts'
import { nodeAt } from '../../delta.ts'
import type { Operation, Outcome } from '../../operation.ts'
import { localTrash } from '../../trash/local-trash.ts'
import type { Entry, FileEntry, Path, Stamp } from '../../tree.ts'
import type { Attributes } from '../attributes.ts'
import { connectReplica } from '../client.ts'
import type { LoadStored } from '../content.ts'
import type { Dir } from '../dir.ts'
import { openDirectory } from '../open-directory.ts'
import type { ContentSource, Replica } from '../replica.ts'
import type { Root } from '../root.ts'
import type { RulesToFollow } from '../ruling.ts'
import { serveReplica } from '../server.ts'

export interface ServedOptions {
  readonly orders?: RulesToFollow | undefined
  /** Where it keeps what goes; an absolute path. */
  readonly trash?: string | undefined
  readonly load?: LoadStored | undefined
  readonly attributes?: Attributes
}

/** The replica of a directory, served in this thread over a stream in memory. */
export async function servedReplica(
  root: string,
  open: (path: string) => Dir = openDirectory,
  { orders, trash, load, attributes }: ServedOptions = {},
): Promise<Replica> {
  const [here, there] = duplexPair()
  const openRoot = (): Root => {
    const dir = open(root)
    return { dir, storage: { kind: 'local', id: String(dir.stat().ino) } }
  }
  const served = serveReplica(there, openRoot, {
    attributes,
    ...{ trash: trash === undefined ? undefined : localTrash(trash, root, open), load },
  })
  const replica = await connectReplica(here, { orders, isForAfar: true })
  onTestFinished(async () => {
    await replica.close()
    await served
  })
  return replica
}

export async function carriedOut(
  replica: Replica,
  operations: readonly Operation[],
  source: ContentSource = replica,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for await (const batch of replica.apply(operations, source)) outcomes.push(...batch)
  return outcomes
}

export function entryAt(replica: Replica, path: Path): Entry {
  const entry = nodeAt(replica.tree, path)?.entry
  if (entry === undefined) throw new Error(`there is no ${path}`)
  return entry
}

export function fileAt(replica: Replica, path: Path): FileEntry {
  const entry = entryAt(replica, path)
  if (entry.kind !== 'file') throw new Error(`${path} is no file`)
  return entry
}

export function stampAt(replica: Replica, path: Path): Stamp {
  const entry = entryAt(replica, path)
  if (entry.kind === 'opaque') throw new Error(`${path} is opaque`)
  return entry.stamp
}

/** Resolves when the condition holds for the replica's tree, as deltas arrive. */
export async function eventually(replica: Replica, condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise<void>((resolve) => {
      const stop = replica.subscribe(() => {
        stop()
        resolve()
      })
    })
  }
}
