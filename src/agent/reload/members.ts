import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { isAlive, type ProcessRef } from '../radar.ts'
import { hasEnded, linkOf, proc, statOf, threadsOf } from './process.ts'

interface Member extends ProcessRef {
  readonly parent: number
}

/**
 * The processes that a container's first process has around it: whatever is in its cgroup, and whatever descends from it. Left
 * out is what was put there from outside, as `kubectl exec` does, with all that it started: somebody works there. Its
 * parent is none of the container's, and does not even see the container's process ids, unlike the
 * pause process of a pod with a shared process namespace, to which orphans go.
 *
 * @param inCgroup all processes in the container's cgroup, as the radar finds them
 */
export function companions(first: ProcessRef, inCgroup: readonly number[]): ProcessRef[] {
  const members = new Map<number, Member>()
  for (const pid of [...inCgroup, ...descendants(first.pid)]) {
    const stat = statOf(proc(pid, 'stat'))
    if (stat === undefined || hasEnded(stat)) continue
    members.set(pid, { pid, startTime: stat.startTime, parent: stat.parent })
  }
  const inside = linkOf(first.pid, 'ns/pid')
  const isGuest = (member: Member): boolean => {
    let top = member
    for (let up = members.get(top.parent); up !== undefined; up = members.get(top.parent)) top = up
    return top.pid !== first.pid && linkOf(top.parent, 'ns/pid') !== inside
  }
  return [...members.values()]
    .filter((member) => member.pid !== first.pid && !isGuest(member))
    .map(({ pid, startTime }) => ({ pid, startTime }))
}

function descendants(pid: number): number[] {
  const children = threadsOf(pid).flatMap((thread) => {
    try {
      return readFileSync(proc(pid, `task/${thread}/children`), 'latin1')
        .split(' ')
        .filter(Boolean)
        .map(Number)
    } catch {
      return []
    }
  })
  return children.flatMap((child) => [child, ...descendants(child)])
}

/** Children of a process that have ended and that it has not asked for. */
export function zombiesOf(pid: number): number {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false
    const stat = statOf(proc(Number(name), 'stat'))
    return stat !== undefined && stat.parent === pid && hasEnded(stat)
  }).length
}

/** Between SIGTERM and SIGKILL, in milliseconds. */
const grace = 2000

/**
 * Ends processes: those that are there, and those that they start meanwhile. Resolves when all have ended.
 */
export async function end(find: () => ProcessRef[]): Promise<void> {
  const asked = new Set<string>()
  const begun = performance.now()
  for (let pause = 0; ; pause = Math.min(pause + 1, 20)) {
    const left = find()
    if (left.length === 0) return
    const late = performance.now() - begun > grace
    if (performance.now() - begun > 5 * grace) throw new Error('a process of the container does not end')
    for (const one of left) {
      const key = `${one.pid} ${one.startTime}`
      if (!late && asked.has(key)) continue
      asked.add(key)
      // What stands still hears SIGTERM when it goes on.
      for (const signal of late ? (['SIGKILL'] as const) : (['SIGTERM', 'SIGCONT'] as const))
        signalTo(one, signal)
    }
    await delay(pause)
  }
}

/** Sends a signal to that very process; that it is gone is no error. */
export function signalTo(target: ProcessRef, signal: NodeJS.Signals): void {
  if (!isAlive(target)) return
  try {
    process.kill(target.pid, signal)
  } catch {
    // It just went.
  }
}
