import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Mounted } from './volumes.ts'

/** The first process of a running container. */
export interface FirstProcess {
  /** Without the runtime's prefix. */
  readonly containerId: string
  readonly podUid: string
  readonly root: string
  readonly mounts: readonly Mounted[]
}

/**
 * Shows a container's first process in a directory that looks like /proc would on a node where containers are isolated:
 * with its container's cgroup, root and mounts. Linux only. Pods with `hostPID` are told of the directory by HOST_PROC.
 */
export function showProcess(directory: string, pid: number | undefined, first: FirstProcess): void {
  if (process.platform !== 'linux' || pid === undefined) return
  const place = join(directory, String(pid))
  const making = join(directory, `new-${pid}`)
  for (const path of [place, making]) rmSync(path, { recursive: true, force: true })
  mkdirSync(making, { recursive: true })
  writeFileSync(join(making, 'cgroup'), `0::/sandbox/pod${first.podUid}/${first.containerId}\n`)
  writeFileSync(join(making, 'mountinfo'), mountinfo(first))
  for (const name of ['stat', 'status']) symlinkSync(`/proc/${pid}/${name}`, join(making, name))
  symlinkSync(first.root, join(making, 'root'))
  renameSync(making, place)
}

/** Shows what an ephemeral container sees of its target, whose pid namespace it would share: its first process, as 1. */
export function showTarget(directory: string, proc: string, pid: number | undefined): void {
  if (process.platform !== 'linux' || pid === undefined) return
  mkdirSync(directory, { recursive: true })
  symlinkSync(join(proc, String(pid)), join(directory, '1'))
}

export function hideProcess(directory: string, pid: number | undefined): void {
  if (pid !== undefined) rmSync(join(directory, String(pid)), { recursive: true, force: true })
}

/**
 * Lines as in proc(5). Root and volumes are on one mount of this machine and so have its id; a device of its own tells
 * this attempt's root from the next one's, and a volume is the same in both.
 */
function mountinfo({ containerId, podUid, root, mounts }: FirstProcess): string {
  const id = mountIdOf(root)
  const device = `${Number.parseInt(containerId.slice(0, 5), 16)}:${Number.parseInt(containerId.slice(5, 10), 16)}`
  const volumes = mounts.map(
    ({ volume, path }) => `${id} 0 0:0 / ${escaped(path)} rw - sandbox ${podUid}/${volume}`,
  )
  return [`${id} 0 ${device} / / rw - sandbox ${containerId}`, ...volumes, ''].join('\n')
}

function mountIdOf(directory: string): string {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    return /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0'
  } finally {
    closeSync(fd)
  }
}

function escaped(path: string): string {
  return path.replace(/[ \t\n\\]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`)
}
