import { stat } from 'node:fs/promises'
import { defaultNamespace } from '../agent/install/objects.ts'
import { kubeEnv } from '../config/settings.ts'
import type { Config } from '../config/store.ts'
import { isTrashOn } from '../config/trash.ts'
import { errnoOf, KubesyncError, messageOf } from '../errors.ts'
import { bindBase } from '../files/base/bind.ts'
import { blobInGit } from '../files/base/git.ts'
import { type BaseStore, openBaseStore } from '../files/base/store.ts'
import { fetchFile } from '../files/fetch.ts'
import type { FindText } from '../files/merging.ts'
import { type LocalOptions, openLocalReplica } from '../files/replica/local.ts'
import { onBehalfOf } from '../files/replica/on-behalf.ts'
import type { Replica } from '../files/replica/replica.ts'
import { startSession } from '../files/session.ts'
import type { ContextOptions } from '../kube/config.ts'
import { openCluster } from './cluster.ts'
import type { RunningSession, SessionHome, SessionParts, World } from './world.ts'

export interface LiveWorldOptions extends Pick<ContextOptions, 'kubeconfig' | 'env'> {
  /** The configuration in force: it says where agents are. */
  readonly config: () => Config
  /** Where what a sync replaces or removes here is kept. */
  readonly trash: string
}

/** Clusters of the kubeconfig, and folders of this machine. */
export function liveWorld({ config, trash, kubeconfig, env = process.env }: LiveWorldOptions): World {
  return {
    openCluster: (context) =>
      openCluster({
        ...{ kubeconfig, context, env: kubeEnv({ ...config(), env }) },
        agentNamespace: () => config().agents[context] ?? defaultNamespace,
      }),
    openLocal: (path, orders) =>
      openLocal(path, { orders, isForAfar: true, trash: isTrashOn(config().trash) ? trash : undefined }),
    openBase: (path) => openBaseStore(path),
    startSession: async (parts, home) => begin(parts, home),
    pace: { firstMs: 500, maxMs: 30_000 },
    lingerMs: 10_000,
  }
}

async function openLocal(path: string, options: LocalOptions): Promise<Replica> {
  const found = await stat(path).catch((error) => {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw new KubesyncError('LOCAL_UNREADABLE', `${path} cannot be read: ${messageOf(error)}`, {
      cause: error,
    })
  })
  if (found?.isDirectory() !== true) {
    const what = found === undefined ? 'there is no folder' : 'there is a file, but no folder,'
    throw new KubesyncError('NO_SUCH_DIRECTORY', `${what} ${path}`, {
      hint: 'make it again, or delete the spec; nothing is deleted in the containers meanwhile',
    })
  }
  return openLocalReplica(path, options)
}

function begin(
  { binding, base, successor, ...parts }: SessionParts,
  { spec, folder, texts }: SessionHome,
): RunningSession {
  const container = `${binding.podUid} ${binding.container} ${binding.containerId}`
  const { firstContact } = binding
  const infos = { local: parts.local.info, remote: parts.remote.info }
  bindBase(base, { container, ...infos, isSuccessor: successor, firstContact })
  const tellOfBase = watchBase(base, parts.warn)
  const find: FindText = async (path, digest) => texts.get(digest) ?? blobInGit(folder, path, digest)
  const session = startSession({
    local: onBehalfOf({ spec, pod: binding.pod, container: binding.container }, parts.local),
    ...{ remote: parts.remote, base, mode: binding.mode, exclusions: parts.exclusions },
    onApplied: parts.onApplied,
    texts: { store: texts, find },
    onStatus(status) {
      tellOfBase()
      parts.onStatus(status)
    },
  })
  const closed = session.closed.then(({ message }) => message.replace(/^reset: /, ''))
  return {
    closed,
    async stop() {
      await session.stop()
      await closed
    },
    resume: () => session.resume(),
    conflicts: session.conflicts,
    merging: session.merging,
    fetch: (path, limit) => fetchFile(parts.remote, path, limit),
  }
}

/** Tells when what was agreed on could not be read, or cannot be saved. */
function watchBase(base: BaseStore, warn: (message: string) => void): () => void {
  const { setAside } = base
  if (setAside !== undefined) {
    warn(
      `what was agreed on before could not be read (${setAside.reason}); it was set aside as ${setAside.path}`,
    )
  }
  let told: string | undefined
  return () => {
    const { unsaved } = base
    if (unsaved !== undefined && unsaved !== told) warn(`what was agreed on cannot be saved: ${unsaved}`)
    told = unsaved
  }
}
