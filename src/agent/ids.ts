import { readFileSync } from 'node:fs'

/** What the container's process may do, as the node sees it (user namespaces already applied). */
export interface Credentials {
  readonly uid: number
  readonly gid: number
  readonly groups: readonly number[]
  readonly umask: number
}

/**
 * Takes the container's ids for this whole process, for good. Needs CAP_SETUID and CAP_SETGID, unless they are this
 * process's already: then nothing is asked of the kernel that it would refuse to an ordinary user.
 */
export function become({ uid, gid, groups, umask }: Credentials, ids: Ids = process): void {
  const sameGid = ids.getgid?.() === gid && ids.getegid?.() === gid
  // The group id itself may stand among the groups or not: it makes no difference.
  const sameGroups = sorted([...(ids.getgroups?.() ?? []), gid]) === sorted([...groups, gid])
  if (!sameGid || !sameGroups) ids.setgroups?.([...groups])
  if (!sameGid) ids.setgid?.(gid)
  if (ids.getuid?.() !== uid || ids.geteuid?.() !== uid) ids.setuid?.(uid)
  ids.umask(umask)
}

/** What of `process` has to do with ids. */
export type Ids = Pick<
  NodeJS.Process,
  'getuid' | 'geteuid' | 'getgid' | 'getegid' | 'getgroups' | 'setuid' | 'setgid' | 'setgroups'
> & { umask(mask: number): number }

function sorted(ids: readonly number[]): string {
  return [...new Set(ids)].sort((a, b) => a - b).join()
}

/** The effective ids, groups and umask in a /proc/PID/status. */
export function parseStatus(status: string): Credentials {
  const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)?.[1] ?? ''
  const numbers = (name: string) => field(name).split(/\s+/).filter(Boolean).map(Number)
  const uid = numbers('Uid')[1]
  const gid = numbers('Gid')[1]
  if (uid === undefined || gid === undefined) throw new Error('no ids in /proc/PID/status')
  return { uid, gid, groups: numbers('Groups'), umask: Number.parseInt(field('Umask') || '022', 8) }
}

/** `become` without the supplementary groups, which stay as the pod has them: an ordinary user may not set any. */
export function becomeInPod(credentials: Credentials): void {
  become({ ...credentials, groups: process.getgroups?.() ?? [] })
}

const CAP_SETGID = 6n
const CAP_SETUID = 7n

/** The ids of a process, by its directory in /proc, and whether this process has them or may take them. */
export function whoRuns(
  directory: string,
  ids: Ids = process,
): { uid: number; gid: number; within: boolean } {
  const { uid, gid } = parseStatus(readFileSync(`${directory}/status`, 'latin1'))
  const same = ids.geteuid?.() === uid && ids.getegid?.() === gid
  return { uid, gid, within: same || mayChangeIds(readFileSync('/proc/self/status', 'latin1')) }
}

function mayChangeIds(status: string): boolean {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
  return [CAP_SETUID, CAP_SETGID].every((capability) => ((effective >> capability) & 1n) === 1n)
}
