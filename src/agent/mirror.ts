import { KubesyncError } from '../errors.ts'
import { FdDir, walkAbout } from '../files/replica/fd-dir.ts'
import type { OpenRoot } from '../files/replica/root.ts'
import { serveReplica } from '../files/replica/server.ts'
import { readMessages, writeMessage } from '../wire/messages.ts'
import { stdioDuplex } from '../wire/stdio.ts'
import { type ContainerHandle, openContainer, storageOf, type View } from './container.ts'
import { readerOf } from './content/ring.ts'
import { become, becomeInPod } from './ids.ts'
import { openInside } from './jail.ts'
import { type ReplicaRequest, refused, toJson } from './protocol.ts'
import type { ProcessRef } from './radar.ts'

/** What the node's agent tells a mirror first of all; it was validated there. */
export type MirrorRequest = ReplicaRequest & {
  readonly process: ProcessRef
  /** Where the node's processes are. */
  readonly proc: string
  readonly view: View
  /** Bytes of the ring that is descriptor 3, if there is one. */
  readonly storeSize?: number
}

/** Where the node's agent puts the ring, to be read. */
const storeFd = 3

/**
 * Serves the replica of a directory in a container on this process's stdio, as the container's own user, until
 * that stream ends. The first message there says what of, the first one back whether it could be opened.
 */
export async function runMirror(): Promise<void> {
  const transport = stdioDuplex()
  const messages = readMessages(transport)
  const told = await messages.next().catch(() => undefined)
  // Nobody needed it.
  if (told === undefined || told.done === true) process.exit(0)
  await messages.return()
  const json = told.value.toString()
  // For whoever looks at the processes of a node.
  process.title = `kubesync.agent mirror ${json}`
  walkAbout()
  try {
    const request: MirrorRequest = JSON.parse(json)
    const openRoot = enter(request)
    await writeMessage(transport, toJson({ ok: true }))
    const { storeSize: size } = request
    await serveReplica(transport, openRoot, {
      attributes: request.attributes,
      signsAhead: true,
      load: size === undefined ? undefined : readerOf({ fd: storeFd, size }),
    })
    process.exit(0)
  } catch (error) {
    await writeMessage(transport, toJson(refused(error)))
    transport.end(() => process.exit(0))
  }
}

function enter(request: MirrorRequest): OpenRoot {
  const inPod = request.view === 'pod'
  const container = openContainer(request, inPod ? becomeInPod : undefined)
  if (!inPod) become(container.credentials)
  const first = openRootIn(container, request.path, request.create)
  if (first === undefined) {
    throw new KubesyncError('REMOTE_MISSING', `${request.path} does not exist in the container`)
  }
  first.dir.close()
  // Only at the start: a folder that vanishes later is for a person to judge.
  return () => openRootIn(container, request.path, false)
}

function openRootIn(container: ContainerHandle, path: string, create: boolean): ReturnType<OpenRoot> {
  const fd = openInside(container.root, path, { create })
  if (fd === undefined) return undefined
  return { dir: new FdDir(fd), storage: storageOf(fd, container) }
}
