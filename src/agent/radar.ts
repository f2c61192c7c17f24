import { readdirSync, readFileSync } from 'node:fs'

/** A process of this node; the start time (clock ticks since boot) tells it from a later one with its id. */
export interface ProcessRef {
  readonly pid: number
  readonly startTime: number
}

/** Where the node's processes are: HOST_PROC is what tools call it that look at a node from a container. */
export const hostProc: string = process.env.HOST_PROC || '/proc'

/** A container's id without the runtime's prefix, as it stands in cgroup paths; undefined if it is none. */
export function bareContainerId(containerId: string): string | undefined {
  const match = /^(?:[a-z0-9-]+:\/\/)?([0-9a-zA-Z_-]{12,128})$/.exec(containerId)
  return match?.[1]
}

/**
 * The first process of a container: of all whose cgroup names the container's id, the one that started
 * first. It needs the node's /proc (`hostPID`) and no runtime's socket, so it is the same on every runtime.
 */
export function findContainer(containerId: string, proc = '/proc'): ProcessRef | undefined {
  return processesOf(containerId, proc)
    .map((pid) => processRef(pid, proc))
    .filter((found) => found !== undefined)
    .sort((a, b) => a.startTime - b.startTime || a.pid - b.pid)[0]
}

/** The ids of all processes whose cgroup is the container's or in it. */
export function processesOf(containerId: string, proc = '/proc'): number[] {
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isOf(pid, containerId, proc))
}

/** Whether a process is one of a container's. */
export function isOf(pid: number, containerId: string, proc = '/proc'): boolean {
  const id = bareContainerId(containerId)
  return id !== undefined && belongsTo(read(`${proc}/${pid}/cgroup`), id)
}

/** The uid of the pod in a /proc/PID/cgroup, as kubelets write it there (with `_` under systemd); undefined if there is none. */
export function podUidIn(cgroup: string | undefined): string | undefined {
  const found = /pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12})(?:\.slice)?(?:\/|$)/m.exec(
    cgroup ?? '',
  )
  return found?.[1]?.replaceAll('_', '-')
}

/** The uid of the pod that a container belongs to by its cgroup. */
export function podUidOf(containerId: string, proc: string): string | undefined {
  const first = findContainer(containerId, proc)
  return first && podUidIn(read(`${proc}/${first.pid}/cgroup`))
}

/** Whether a /proc/PID/cgroup names the container, as a whole component or in a systemd scope's name. */
export function belongsTo(cgroup: string | undefined, id: string): boolean {
  if (cgroup === undefined) return false
  return cgroup.split('\n').some((line) =>
    line
      .slice(line.lastIndexOf(':') + 1)
      .split('/')
      .some((part) => part === id || part.endsWith(`-${id}.scope`) || part.endsWith(`:${id}`)),
  )
}

/** The process with this id as it is now, or undefined if there is none. */
export function processRef(pid: number, proc = '/proc'): ProcessRef | undefined {
  const stat = read(`${proc}/${pid}/stat`)
  if (stat === undefined) return undefined
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const state = fields[0]
  const startTime = Number(fields[19])
  return state === 'Z' || state === 'X' || !Number.isFinite(startTime) ? undefined : { pid, startTime }
}

/** Whether that very process still runs. */
export function isAlive(process: ProcessRef, proc = '/proc'): boolean {
  return processRef(process.pid, proc)?.startTime === process.startTime
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}
