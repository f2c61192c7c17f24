import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir, open, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

export interface DetachedOptions {
  /** A command line of this program. */
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** Where what it prints goes. */
  readonly log: string
  /** Node's arguments and the program's path, unless it is this process's own. */
  readonly program?: readonly string[] | undefined
  /** How long it may take until it is up, in milliseconds. */
  readonly limitMs: number
  /** Asked again and again: whether this process does what it is there for. */
  isUp(pid: number): Promise<boolean>
}

/** The process, or what is known of why it is none. */
export type Detached = { readonly pid: number } | { readonly failure: string }

/** A log of this size is set aside; bytes. */
const logLimit = 5 * 1024 * 1024
/** How often a process is looked at, in milliseconds. */
const pulse = 50

/** Starts a process that outlives this one, and waits until it is up. One that is not in time is ended. */
export async function startDetached(options: DetachedOptions): Promise<Detached> {
  const { log, limitMs, isUp } = options
  const logStart = await prepareLog(log)
  const child = await launch(options)
  const until = Date.now() + limitMs
  while (child.exit === undefined && Date.now() < until) {
    if (await isUp(child.pid)) return { pid: child.pid }
    await delay(pulse)
  }
  const reason = child.exit ?? `it did not answer within ${limitMs / 1000} s`
  child.kill()
  return { failure: (await readFrom(log, logStart)) || reason }
}

interface Child {
  readonly pid: number
  /** How it ended, once it did. */
  readonly exit: string | undefined
  kill(): void
}

async function launch({ args, env, log, program }: DetachedOptions): Promise<Child> {
  const command = [...(program ?? [...process.execArgv, process.argv[1] ?? '']), ...args]
  const output = openSync(log, 'a', 0o600)
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
