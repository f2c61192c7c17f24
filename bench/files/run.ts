/** Runs commands of others and of ours, and asks the kernel what processes cost. Linux only, as the whole measurement. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

const MAX_OUTPUT = 1 << 28
/** Of the kernel's clock in /proc/PID/stat. */
const TICKS_PER_SECOND = 100

/** Runs a command to its end; returns what it said. Throws, with all it said, unless it exits with 0. */
export function must(
  command: string,
  args: readonly string[],
  { input, env }: { input?: string; env?: NodeJS.ProcessEnv } = {},
): string {
  const options = { encoding: 'utf8', maxBuffer: MAX_OUTPUT } as const
  const done = spawnSync(command, args, { ...options, input: input ?? '', env: env ?? process.env })
  if (done.error !== undefined) throw done.error
  if (done.status !== 0)
    throw new Error(`${command} ${args.join(' ')}: ${`${done.stderr}${done.stdout}`.slice(0, 4000)}`)
  return done.stdout
}

export function shell(line: string, env?: NodeJS.ProcessEnv): string {
  return must('bash', ['-c', `set -eo pipefail; ${line}`], env === undefined ? {} : { env })
}

/** Seconds that something takes. */
export async function timed(action: () => unknown): Promise<number> {
  const started = performance.now()
  await action()
  return (performance.now() - started) / 1000
}

export interface Running {
  readonly child: ChildProcess
  /** Resolves when it has said this, on stdout or stderr; rejects when it ends before. */
  says(text: string): Promise<void>
  stop(): Promise<void>
}

/** Starts a command that goes on until it is stopped. */
export function start(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Running {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  let wake = () => {}
  const hear = (text: Buffer) => {
    said += text.toString()
    wake()
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  void ended.then(() => wake())
  return {
    child,
    async says(text) {
      while (!said.includes(text)) {
        if (child.exitCode !== null) throw new Error(`${command} ${args.join(' ')} ended: ${said}`)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** Asks every 20 ms until it is so. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  seconds = 120,
): Promise<void> {
  const deadline = performance.now() + seconds * 1000
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`)
    await delay(20)
  }
}

/** What a set of processes has cost so far. */
export interface Cost {
  /** Of a core, user and system. */
  readonly cpuSeconds: number
  /** Resident memory. Pages of files, which are mostly Node itself and the same ones in each process, count once. */
  readonly megabytes: number
  /** The same with what is shared divided among those who share it. */
  readonly proportionalMegabytes: number
}

export function costOf(pids: readonly number[]): Cost {
  const sum = (of: (pid: number) => number) => pids.reduce((total, pid) => total + of(pid), 0)
  return {
    cpuSeconds: sum(cpuOf),
    megabytes:
      sum((pid) => kilobytes(`/proc/${pid}/status`, 'RssAnon') / 1000) +
      Math.max(0, ...pids.map((pid) => kilobytes(`/proc/${pid}/status`, 'RssFile') / 1000)),
    proportionalMegabytes: sum((pid) => kilobytes(`/proc/${pid}/smaps_rollup`, 'Pss') / 1000),
  }
}

function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

function kilobytes(file: string, field: string): number {
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(file, 'utf8'))?.[1]
  return Number(kibibytes) * 1.024
}

/** A process and all that it started. */
export function treeOf(root: number): number[] {
  const parents = new Map(processes().map((pid) => [pid, parentOf(pid)]))
  const pids = [root]
  for (const pid of pids) for (const [child, parent] of parents) if (parent === pid) pids.push(child)
  return pids
}

function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return 0
  }
}

export function processes(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger)
}

/** The arguments of a process; none if it is gone. */
export function argumentsOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}
