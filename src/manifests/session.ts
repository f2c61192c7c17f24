import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import type { KubeClient } from '../kube/client.ts'
import { ApiError } from '../kube/errors.ts'
import { type BaseStore, openBase } from './base/store.ts'
import { openStripper, type Stripper } from './defaults/strip.ts'
import { putFile } from './folder/put.ts'
import { type Journal, journalIn, openJournal, type SecretsPolicy } from './journal/journal.ts'
import { openShapes, type Shapes } from './live/shapes.ts'
import { cleanOf } from './live/view.ts'
import type { ClusterName } from './plan/plan.ts'
import { allRules } from './sanitize/own.ts'
import { keyIn, openSealer } from './secrets/seal.ts'
import type { JsonMap } from './value.ts'

/** A folder, a cluster, and what is remembered of both. */
export interface Session {
  readonly client: KubeClient
  readonly cluster: ClusterName
  /** Absolute path of the folder. */
  readonly root: string
  /** Where it is kept what files hold, by their texts. */
  readonly store: string
  readonly base: BaseStore
  readonly journal: Journal
  readonly shapes: Shapes
  readonly stripper: Stripper
  /** What files were made to hold, by their paths below the root; undefined is gone. */
  readonly written: Map<string, string | undefined>
  /** An object of the cluster without what does not belong into a file; `like` is the user's own. */
  clean(object: JsonMap, like: JsonMap | undefined): JsonMap
  /** Does a work while no other process that works on this cluster does one. */
  exclusively<T>(work: () => Promise<T>): Promise<T>
  /** Keeps what was learned for the next time. */
  close(): Promise<void>
}

interface SessionOptions {
  readonly client: KubeClient
  readonly root: string
  /** Where kubesync keeps its state. */
  readonly state: string
  /** Of the journal; what was agreed on is needed, and always encrypted. */
  readonly secrets: SecretsPolicy
  /** Rules of the user's own for what does not belong into a file. */
  readonly sanitize?: readonly unknown[]
  /** The words of the command line, for the journal. */
  readonly command?: string
  /** Does a work while it holds the lock at a path. */
  readonly withLock?: WithLock
}

type WithLock = <T>(path: string, work: () => Promise<T>) => Promise<T>

export async function openSession(options: SessionOptions): Promise<Session> {
  const rules = allRules(options.sanitize ?? [])
  const { client, root, state, secrets, command, withLock = (_path, work) => work() } = options
  const { name: context, server, namespace } = client.context
  const [id, { gitVersion }] = await Promise.all([clusterId(client), client.discovery.version()])
  const folder = join(state, 'manifests', id)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, 'defaults.json')
  const verdicts = await loadVerdicts(file, gitVersion)
  const known = verdicts.size
  const sealer = openSealer(keyIn(state))
  return {
    client,
    cluster: { context, server, namespace },
    root,
    store: join(folder, 'parsed'),
    base: await openBase(join(folder, 'base'), sealer),
    journal: openJournal(journalIn(state), { secrets, sealer, command }),
    shapes: openShapes(client, join(state, 'manifests', 'schemas')),
    stripper: openStripper(client, verdicts),
    written: new Map(),
    clean: (object, like) => cleanOf(object, rules, like),
    exclusively: (work) => withLock(join(folder, 'operation.lock'), work),
    async close() {
      if (verdicts.size === known) return
      await putFile(file, JSON.stringify({ gitVersion, verdicts: [...verdicts] }), { mode: 0o600 })
    },
  }
}

/** What a cluster is told apart by: its address alone may lead to another one tomorrow. */
async function clusterId(client: KubeClient): Promise<string> {
  const ref = { apiVersion: 'v1', plural: 'namespaces', name: 'kube-system' }
  const uid = await client.get(ref).then(
    ({ metadata }) => metadata?.uid,
    (error: unknown) => {
      if (error instanceof ApiError && error.status.code !== 401) return undefined
      throw error
    },
  )
  const identity = JSON.stringify([client.context.server, uid ?? null])
  return createHash('sha256').update(identity).digest('hex').slice(0, 16)
}

const verdictsSchema = v.object({
  gitVersion: v.string(),
  verdicts: v.array(v.tuple([v.string(), v.boolean()])),
})

/** What is not there, is damaged, or was another version's is asked for again. */
async function loadVerdicts(file: string, gitVersion: string): Promise<Map<string, boolean>> {
  try {
    const read = v.parse(verdictsSchema, JSON.parse(await readFile(file, 'utf8')))
    return new Map(read.gitVersion === gitVersion ? read.verdicts : [])
  } catch {
    return new Map()
  }
}
