import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir, open, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isAlive } from '../config/lock.ts'
import type { Paths } from '../config/paths.ts'
import { KubesyncError } from '../errors.ts'
import { askStatus, askStop } from './client.ts'

export interface BackgroundOptions {
  readonly paths: Paths
  /** The command line of a watch in the foreground, without the program. */
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** Node's arguments and the program's path, unless it is this process's own. */
  readonly program?: readonly string[]
  /** How long it may take until it answers, in milliseconds. */
  readonly limitMs?: number
}

export interface Background {
  readonly pid: number
  readonly log: string
}

/** A log of this size is set aside when a watch starts; bytes. */
const logLimit = 5 * 1024 * 1024
/** How often a process is looked at, in milliseconds. */
const pulse = 50

/**
 * Starts a watch that outlives this process, and resolves once it answers. Rejects with WATCH_RUNNING, or
 * with WATCH_NOT_STARTED and its last words.
 */
export async function startBackground(options: BackgroundOptions): Promise<Background> {
  const { paths, limitMs = 15_000 } = options
  const running = await askStatus(paths.socket)
  if (running !== undefined) {
    throw new KubesyncError('WATCH_RUNNING', `process ${running.pid} already watches ${paths.config}`, {
      hint: 'see what it does with `ksync get`; end it with `ksync watch --stop`',
    })
  }
  const logStart = await prepareLog(paths.log)
  const child = await launch(options)
  const until = Date.now() + limitMs
  while (child.exit === undefined && Date.now() < until) {
    const status = await askStatus(paths.socket).catch(() => undefined)
    if (status?.pid === child.pid) return { pid: child.pid, log: paths.log }
    await delay(pulse)
  }
  const reason = child.exit ?? `it did not answer within ${limitMs / 1000} s`
  child.kill()
  const words = await readFrom(paths.log, logStart)
  throw new KubesyncError(
    'WATCH_NOT_STARTED',
    `the watch in the background did not start: ${words || reason}`,
    {
      hint: `its log is ${paths.log}; \`ksync watch\` in the foreground shows more`,
    },
  )
}

/** Ends the watch and waits until its process is gone; its pid, or undefined if none runs. */
export async function stopWatch(paths: Pick<Paths, 'socket'>, limitMs = 20_000): Promise<number | undefined> {
  const pid = await askStop(paths.socket)
  if (pid === undefined) return undefined
  const until = Date.now() + limitMs
  while (isAlive({ pid })) {
    if (Date.now() > until) {
      throw new KubesyncError('WATCH_NOT_STOPPED', `the watch (process ${pid}) has not ended yet`, {
        hint: `it was asked to; \`kill ${pid}\` does not ask`,
      })
    }
    await delay(pulse)
  }
  return pid
}

interface Child {
  readonly pid: number
  /** How it ended, once it did. */
  readonly exit: string | undefined
  kill(): void
}

async function launch({ args, env, paths, program }: BackgroundOptions): Promise<Child> {
  const command = [...(program ?? [...process.execArgv, process.argv[1] ?? '']), ...args]
  const output = openSync(paths.log, 'a', 0o600)
  const child = spawn(process.execPath, command, { detached: true, stdio: ['ignore', output, output], env })
  closeSync(output)
  child.unref()
  let exit: string | undefined
  child.once('exit', (code, signal) => {
    exit = signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`
  })
  const pid = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('spawn', () => resolve(child.pid ?? 0))
  })
  return {
    pid,
    get exit() {
      return exit
    },
    kill: () => void child.kill(),
  }
}

/** Sets a log aside that has grown large; where the new one begins. */
async function prepareLog(path: string): Promise<number> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const size = (await stat(path).catch(() => undefined))?.size ?? 0
  if (size <= logLimit) return size
  await rename(path, `${path}.1`)
  return 0
}

/** What was written to a log from there on: its last lines. */
async function readFrom(path: string, start: number): Promise<string> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const from = Math.max(start, size - 2000)
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(2000), position: from })
    return buffer.subarray(0, bytesRead).toString('utf8').trim()
  } finally {
    await file.close()
  }
}
