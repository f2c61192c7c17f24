import { readdirSync, readFileSync, statSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { KubesyncError } from '../../errors.ts'
import { findContainer } from '../radar.ts'
import { journalRoom } from './block.ts'
import { isStopped, thaw } from './freeze.ts'
import { mark } from './in-place.ts'
import { stackOf } from './journal.ts'
import { signalTo } from './members.ts'
import { callOf, linkOf, type Memory, openMemory, proc } from './process.ts'
import { release } from './release.ts'
import type { Stand } from './stand.ts'

/** The container that came after one that was ended. */
export interface Successor {
  readonly containerId: string
  /** Its first process stands still, and has not begun with its program; else it was too late for that. */
  readonly held: boolean
  /** Lets it go on. */
  letGo(): Promise<void>
}

/** The longest back-off of a kubelet and some more, in milliseconds. */
const patience = 6 * 60_000
/** How long a runtime may take from a container's first process to the point where that waits to be started. */
const creationLimit = 10_000

/** Kills a container's first process, waits for the container that comes in its place, and stops that before it begins. */
export async function restartContainer(
  containerId: string,
  { proc: procfs, holds }: Pick<Stand, 'proc' | 'holds'>,
): Promise<Successor> {
  const first = findContainer(containerId, procfs)
  const home = first && podOf(`${procfs}/${first.pid}/cgroup`, containerId)
  if (first === undefined || home === undefined) {
    throw new KubesyncError('CONTAINER_GONE', 'no process of the container runs on this node')
  }
  const known = new Set(pidsIn(procfs).flatMap((pid) => idIn(`${procfs}/${pid}/cgroup`, home) ?? []))
  const arrivals = newArrivals(procfs)
  signalTo(first, 'SIGKILL')
  const until = performance.now() + patience
  while (performance.now() < until) {
    for (const arrival of arrivals()) {
      const id = idIn(`${procfs}/${arrival.pid}/cgroup`, home)
      if (id === undefined || known.has(id)) continue
      // Threads have ids of their own among those of processes.
      if (!isProcess(arrival.pid)) continue
      const isInside = ({ pid }: Arrival) => idIn(`${procfs}/${pid}/cgroup`, home) === id && isProcess(pid)
      // Where a directory stands for /proc there is no runtime that could be waited for.
      return holds && procfs === '/proc' ? hold(id, arrival, () => arrivals().filter(isInside)) : late(id)
    }
    await delay(1)
  }
  throw new KubesyncError('RELOAD_FAILED', `no container came in its place within ${patience / 60_000} min`)
}

/** What the cgroups of all containers of a pod begin with. */
function podOf(cgroup: string, containerId: string): string | undefined {
  const id = containerId.replace(/^.*:\/\//, '')
  const line = text(cgroup)
    .split('\n')
    .find((one) => one.includes(id))
  return line?.slice(line.lastIndexOf(':/') + 1, line.indexOf(id))
}

/** The id of the container of a pod that a process is in; undefined if it is in none. */
function idIn(cgroup: string, home: string): string | undefined {
  for (const line of text(cgroup).split('\n')) {
    const at = line.indexOf(`:${home}`)
    const id = at < 0 ? undefined : /^[0-9a-f]{12,}/.exec(line.slice(at + 1 + home.length))?.[0]
    if (id !== undefined) return id
  }
  return undefined
}

interface Arrival {
  readonly pid: number
  /** Counts them as they came. */
  readonly serial: number
}

/**
 * Tells of the processes that have come since it was made: each again and again, but less and less often, as it may only
 * enter its cgroup after a while.
 */
function newArrivals(procfs: string): () => Arrival[] {
  // Where a directory stands for /proc, as in a sandbox, it is all there is.
  if (procfs !== '/proc') return () => pidsIn(procfs).map((pid) => ({ pid, serial: 0 }))
  let last = lastPid()
  let serial = 0
  let recent: (Arrival & { readonly born: number; due: number })[] = []
  return () => {
    const now = performance.now()
    const newest = lastPid()
    // Process ids begin again from the bottom now and then.
    const from = newest >= last ? last + 1 : 2
    for (let pid = from; pid <= newest; pid += 1) {
      serial += 1
      recent.push({ pid, serial, born: now, due: now })
    }
    last = newest
    recent = recent.filter(({ born }) => now - born < creationLimit)
    const due = recent.filter((one) => one.due <= now)
    for (const one of due) one.due = now + Math.max(1, (now - one.born) / 2)
    return due
  }
}

/** The id that was given last in this process namespace: the last field of /proc/loadavg (proc(5)). */
function lastPid(): number {
  return Number(text('/proc/loadavg').trim().split(' ').at(-1))
}

/**
 * The runtime makes a container's first process, has it set everything up, and lets it wait for a reader of a pipe, before
 * it executes the container's program (runc and crun: `exec.fifo`). There it is to stay. Until it is there it only goes on a
 * moment at a time, for the runtime is at the other end of that pipe some milliseconds later.
 */
async function hold(containerId: string, first: Arrival, newcomers: () => Arrival[]): Promise<Successor> {
  const until = performance.now() + creationLimit
  let latest = first
  let led: Led | undefined
  while (performance.now() < until) {
    // The runtime's first processes make others and end.
    for (const one of newcomers()) if (one.serial > latest.serial) latest = one
    if (latest.pid !== led?.pid) {
      await led?.letGo()
      led = lead(latest.pid)
    }
    const stage = led?.stage()
    if (led !== undefined && stage === 'ready') return { containerId, held: true, letGo: led.letGo }
    if (stage === 'begun') break
    // Meanwhile it stands still.
    await delay(0)
    if (stage === 'ended') led = undefined
    else led?.step()
  }
  await led?.letGo()
  return late(containerId)
}

function late(containerId: string): Successor {
  return { containerId, held: false, letGo: async () => {} }
}

/** A process that goes on a moment at a time. */
interface Led {
  readonly pid: number
  step(): void
  /** `ready`: it waits for the runtime's word. `begun`: it runs another program than the runtime's. */
  stage(): 'early' | 'ready' | 'begun' | 'ended'
  /** Never rejects. */
  letGo(): Promise<void>
}

const moment = 3
const stopLimit = 100

function lead(pid: number): Led | undefined {
  const stack = stackOf(pid)
  const runtime = linkOf(pid, 'exe')
  if (stack === undefined) return undefined
  try {
    const memory = openMemory(pid)
    const surgery = mark(pid, memory, stack.start - journalRoom)
    stopNow(pid)
    return {
      pid,
      step() {
        if (linkOf(pid, 'exe') === undefined) return
        thaw(pid)
        pauseThread(moment)
        stopNow(pid)
      },
      stage() {
        const now = linkOf(pid, 'exe')
        if (now !== runtime) return now === undefined ? 'ended' : 'begun'
        return waitsForStart(pid, memory) && !hasNodesRoot(pid) ? 'ready' : 'early'
      },
      letGo: async () => {
        await release(surgery).catch(() => {})
        memory.close()
      },
    }
  } catch {
    // It ended, as those of the runtime do that make others.
    return undefined
  }
}

function isProcess(pid: number): boolean {
  return new RegExp(`^Tgid:\\s*${pid}$`, 'm').test(text(proc(pid, 'status')))
}

/** Stops a process without yielding to anything else here. */
function stopNow(pid: number): void {
  const until = performance.now() + stopLimit
  try {
    process.kill(pid, 'SIGSTOP')
    while (!isStopped(pid) && performance.now() < until) pauseThread(0.1)
  } catch {
    // It ended: its stage tells.
  }
}

function pauseThread(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

const openat: Readonly<Record<string, number>> = { x64: 257, arm64: 56 }

/** Whether it opens the pipe over which it is told to start. */
function waitsForStart(pid: number, memory: Memory): boolean {
  const call = callOf(pid)
  if (call?.number !== openat[process.arch]) return false
  const path = memory.read(call?.args[1] ?? 0, 64).toString('latin1')
  const fd = /^\/proc\/(?:thread-)?self\/fd\/(\d+)\0/.exec(path)?.[1]
  return fd !== undefined && /\/exec\.fifo$/.test(linkOf(pid, `fd/${fd}`) ?? '')
}

/** Before it has entered the container's root nothing may be written through it: it would land on the node. */
function hasNodesRoot(pid: number): boolean {
  const [own, nodes] = [pid, 1].map((one) => statSync(proc(one, 'root/'), { throwIfNoEntry: false }))
  return own === undefined || (own.dev === nodes?.dev && own.ino === nodes.ino)
}

function pidsIn(procfs: string): number[] {
  return readdirSync(procfs)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

function text(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
