import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  writeSync,
} from 'node:fs'
import { errnoOf } from '../../errors.ts'

/** A process of this node as /proc shows it (proc(5)); everything in here is read when it is asked. */
export function proc(pid: number, name: string): string {
  return `/proc/${pid}/${name}`
}

export interface Stat {
  /** `R`, `S`, `D`, `T`, `Z`, … */
  readonly state: string
  readonly parent: number
  /** Clock ticks since boot. */
  readonly startTime: number
  /** Where its stack begins: there the number of its arguments stands. */
  readonly startStack: number
  readonly arguments: { readonly start: number; readonly end: number }
}

/** What a /proc/PID/stat, or that of a thread, says; undefined if it is gone. */
export function statOf(path: string): Stat | undefined {
  const text = attempt(() => readFileSync(path, 'latin1'))
  if (text === undefined) return undefined
  // The second field is the program's name in parentheses, and may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const number = (index: number) => Number(fields[index - 3])
  return {
    state: fields[0] ?? 'X',
    ...{ parent: number(4), startTime: number(22), startStack: number(28) },
    arguments: { start: number(48), end: number(49) },
  }
}

export function hasEnded({ state }: Stat): boolean {
  return 'ZX'.includes(state)
}

export function threadsOf(pid: number): number[] {
  return (attempt(() => readdirSync(proc(pid, 'task'))) ?? []).map(Number)
}

/** Where a thread that does not run is; undefined while it runs. */
export interface Position {
  readonly thread: number
  readonly counter: number
  readonly stackPointer: number
  /** It is in a system call, which may start again. */
  readonly inCall: boolean
}

export function positionOf(pid: number, thread: number): Position | undefined {
  const words = attempt(() => readFileSync(`/proc/${pid}/task/${thread}/syscall`, 'latin1'))
    ?.trim()
    .split(' ')
  if (words === undefined || words.length < 3) return undefined
  const [stackPointer, counter] = words.slice(-2).map(Number)
  if (!stackPointer || !counter) return undefined
  return { thread, counter, stackPointer, inCall: words[0] !== '-1' }
}

/** The system call that a process's first thread is in; undefined if it is in none. */
export function callOf(
  pid: number,
): { readonly number: number; readonly args: readonly number[] } | undefined {
  const text = attempt(() => readFileSync(proc(pid, 'syscall'), 'latin1')) ?? ''
  const [number = -1, ...args] = text.trim().split(' ').map(Number)
  return number >= 0 ? { number, args } : undefined
}

/** Where the threads of a stopped process are. */
export function positionsOf(pid: number): Position[] {
  return threadsOf(pid).flatMap((thread) => positionOf(pid, thread) ?? [])
}

export interface Mapping {
  readonly start: number
  readonly end: number
  readonly name: string
}

export function mappingsOf(pid: number): Mapping[] {
  const lines = readFileSync(proc(pid, 'maps'), 'latin1').split('\n')
  return lines.flatMap((line) => {
    const match = /^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \S+ *(.*)$/.exec(line)
    if (match === null) return []
    const [, start = '', end = '', name = ''] = match
    return [{ start: Number.parseInt(start, 16), end: Number.parseInt(end, 16), name }]
  })
}

/** A field of /proc/PID/status; empty if it has none. */
export function statusField(pid: number, name: string): string {
  const status = readFileSync(proc(pid, 'status'), 'latin1')
  return new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)?.[1] ?? ''
}

/** The numbers of the signals in a mask of /proc/PID/status (`SigCgt`, `SigIgn`). */
export function signalsIn(pid: number, mask: string): number[] {
  const bits = BigInt(`0x${statusField(pid, mask) || '0'}`)
  return Array.from({ length: 64 }, (_, index) => index + 1).filter(
    (signal) => (bits >> BigInt(signal - 1)) & 1n,
  )
}

/** Descriptors from 3 on that a new program would inherit. */
export function inheritable(pid: number): number[] {
  const O_CLOEXEC = 0o2000000
  return (attempt(() => readdirSync(proc(pid, 'fd'))) ?? [])
    .map(Number)
    .filter((fd) => fd > 2)
    .filter((fd) => {
      const info = attempt(() => readFileSync(proc(pid, `fdinfo/${fd}`), 'latin1')) ?? ''
      return (Number.parseInt(/^flags:\s*(\d+)$/m.exec(info)?.[1] ?? '0', 8) & O_CLOEXEC) === 0
    })
}

export function linkOf(pid: number, name: string): string | undefined {
  return attempt(() => readlinkSync(proc(pid, name)))
}

/** A process's memory. It stays that of the program it runs now: of another one it reads nothing. */
export interface Memory {
  /** As much of it as there is. */
  read(at: number, length: number): Buffer
  /** Throws where it may not be written. */
  write(at: number, bytes: Buffer): void
  close(): void
}

export function openMemory(pid: number): Memory {
  const fd = openSync(proc(pid, 'mem'), constants.O_RDWR)
  return {
    read(at, length) {
      const bytes = Buffer.alloc(length)
      const got = attempt(() => readSync(fd, bytes, 0, length, at)) ?? 0
      return bytes.subarray(0, got)
    },
    write(at, bytes) {
      for (let done = 0; done < bytes.length; ) {
        const got = writeSync(fd, bytes, done, bytes.length - done, at + done)
        if (got === 0) throw new Error('the memory is gone')
        done += got
      }
    },
    close: () => closeSync(fd),
  }
}

/** What a process says may be gone at any moment. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return undefined
  }
}
