import { closeSync, constants, openSync, readFileSync, readlinkSync } from 'node:fs'
import { errnoOf, KubesyncError } from '../errors.ts'
import type { ReplicaInfo } from '../files/replica/replica.ts'
import { type Credentials, parseStatus } from './ids.ts'
import { belongsTo, type ProcessRef } from './radar.ts'

/** A container, and what its first process said of it when it was opened. */
export interface ContainerHandle {
  /** Descriptor of the container's root directory. */
  readonly root: number
  readonly credentials: Credentials
  readonly mounts: readonly Mount[]
}

/** A line of /proc/PID/mountinfo, as far as it tells what a directory stands on. */
export interface Mount {
  readonly id: number
  readonly device: string
  readonly root: string
  readonly mountPoint: string
  readonly type: string
  readonly source: string
}

/**
 * Where an agent looks from. On its `node` it may trace whatever runs there (CAP_SYS_PTRACE). In an ephemeral container of
 * the `pod` it may trace what has its own ids, and no more capabilities than it.
 */
export type View = 'node' | 'pod'

/** Which container, and where its first process is shown. */
export interface Opened {
  readonly process: ProcessRef
  readonly containerId: string
  readonly proc: string
}

/**
 * Opens a container through its first process. The descriptor of /proc/PID pins the process, so what is
 * read through it cannot be another's that got the same id; the container's id is checked through it.
 *
 * @param prepare done before the root is opened, for those who may open it as the container's user only
 */
export function openContainer(
  { process, containerId, proc }: Opened,
  prepare?: (credentials: Credentials) => void,
): ContainerHandle {
  const pinned = openSync(`${proc}/${process.pid}`, constants.O_RDONLY | constants.O_DIRECTORY)
  const own = (name: string) => readFileSync(`/proc/self/fd/${pinned}/${name}`, 'utf8')
  try {
    if (!belongsTo(own('cgroup'), containerId)) {
      throw new KubesyncError('CONTAINER_GONE', 'the container ended while it was being opened')
    }
    const credentials = parseStatus(own('status'))
    const mounts = parseMounts(own('mountinfo'))
    prepare?.(credentials)
    const root = openRoot(`/proc/self/fd/${pinned}/root`)
    return { root, credentials, mounts }
  } finally {
    closeSync(pinned)
  }
}

function openRoot(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  } catch (error) {
    if (!['EACCES', 'EPERM'].includes(errnoOf(error) ?? '')) throw error
    const why = 'its first process has more rights than the agent (another user, or capabilities of its own)'
    throw new KubesyncError('CONTAINER_CLOSED', `the container's files may not be opened: ${why}`, {
      hint: 'the agent on the node, which `ksync init` installs, can do it',
      cause: error,
    })
  }
}

/** Parses /proc/PID/mountinfo (see proc(5)); paths in it escape space, tab, newline and backslash in octal. */
export function parseMounts(mountinfo: string): Mount[] {
  return mountinfo
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [before = '', after = ''] = line.split(' - ')
      const [id, , device = '', root = '', mountPoint = ''] = before.split(' ')
      const [type = '', source = ''] = after.split(' ')
      return {
        id: Number(id),
        device,
        root: decodeEscapes(root),
        mountPoint: decodeEscapes(mountPoint),
        type,
        source,
      }
    })
}

function decodeEscapes(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}

/** Where something is mounted below a directory, by paths relative to it. */
export function mountsBelow(directory: string, mounts: readonly Mount[]): string[] {
  const prefix = directory === '/' ? directory : `${directory}/`
  const below = mounts.filter(({ mountPoint }) => mountPoint.startsWith(prefix) && mountPoint !== prefix)
  return [...new Set(below.map(({ mountPoint }) => mountPoint.slice(prefix.length)))]
}

/**
 * What an open directory stands on: the container's own layer, which ends with the container, or a volume,
 * told by what is mounted and not by where, so that the same volume in the next container is the same.
 */
export function storageOf(fd: number, container: ContainerHandle): ReplicaInfo['storage'] {
  const fdinfo = readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')
  const id = Number(/^mnt_id:\s*(\d+)$/m.exec(fdinfo)?.[1])
  const path = readlinkSync(`/proc/self/fd/${fd}`)
  const mount = mountOf(path, id, container.mounts)
  // A mount that came after the container started is not in the list: a volume, as far as anybody knows.
  if (mount === undefined) return { kind: 'volume', id: `mount ${id}` }
  if (mount.mountPoint === '/') {
    // As the container sees it: the path leads up to the root of its own mounts.
    const volumes = mountsBelow(path, container.mounts)
    return { kind: 'container', id: mount.device, volumes }
  }
  return { kind: 'volume', id: `${mount.type} ${mount.source} ${mount.device} ${mount.root}` }
}

/**
 * The mount with an id. Where containers are plain directories on one mount, several have the same: the innermost one around
 * the path is it then.
 */
export function mountOf(path: string, id: number, mounts: readonly Mount[]): Mount | undefined {
  const same = mounts.filter((mount) => mount.id === id)
  const around = same.filter(({ mountPoint }) =>
    `${path}/`.startsWith(mountPoint === '/' ? '/' : `${mountPoint}/`),
  )
  return around.sort((a, b) => b.mountPoint.length - a.mountPoint.length)[0] ?? same[0]
}
