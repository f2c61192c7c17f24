import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { bindBase } from '../base/bind.ts'
import type { BaseStore } from '../base/store.ts'
import { openBaseStore } from '../base/store.ts'
import type { Dir } from '../replica/dir.ts'
import type { Replica } from '../replica/replica.ts'
import { temporaryRoot } from '../replica/testing/roots.ts'
import { servedReplica } from '../replica/testing/served.ts'
import type { Session, SessionOptions } from '../session.ts'
import { startSession } from '../session.ts'
import type { Side } from '../side.ts'
import type { SessionStatus } from '../status.ts'

/** What is below a directory, with content: path -> what is there. */
export function contentsOf(root: string, directory = ''): Record<string, string> {
  const lines: Record<string, string> = {}
  for (const name of readdirSync(join(root, directory)).sort()) {
    const path = join(directory, name)
    const at = join(root, path)
    const stats = lstatSync(at)
    if (stats.isSymbolicLink()) lines[path] = `symlink ${readlinkSync(at)}`
    else if (stats.isDirectory()) Object.assign(lines, { [path]: 'directory' }, contentsOf(root, path))
    else lines[path] = `file ${readFileSync(at, 'latin1')}${stats.mode & 0o100 ? ' *' : ''}`
  }
  return lines
}

/** Two directories of this machine, and a session that keeps them in step. */
export interface Pair {
  readonly local: string
  readonly remote: string
  readonly replicas: readonly [Replica, Replica]
  readonly base: BaseStore
  readonly session: Session
}

export interface PairOptions {
  readonly local?: string
  readonly remote?: string
  readonly basePath?: string
  readonly texts?: SessionOptions['texts']
  /** How each side opens its root. */
  readonly open?: Partial<Record<Side, (path: string) => Dir>>
}

/** Starts a session, which ends with the test. */
export async function synced(options: PairOptions = {}): Promise<Pair> {
  const { local = temporaryRoot(), remote = temporaryRoot(), open } = options
  const replicas = [
    await servedReplica(local, open?.local),
    await servedReplica(remote, open?.remote),
  ] as const
  const base = openBaseStore(options.basePath ?? join(temporaryRoot(), 'base'))
  bindBase(base, { container: 'c', local: replicas[0].info, remote: replicas[1].info, isSuccessor: false })
  const parts = { local: replicas[0], remote: replicas[1], base, mode: 'two-way-safe' } as const
  const { texts } = options
  const session = startSession({ ...parts, ...(texts && { texts }) })
  onTestFinished(async () => {
    await session.stop()
    base.close()
  })
  return { local, remote, replicas, base, session }
}

/** Everything on disk has been seen, and what follows from it is done. */
export async function settled({ replicas, session }: Pair): Promise<SessionStatus> {
  await Promise.all(replicas.map((replica) => replica.rescan('all')))
  return session.settled()
}
