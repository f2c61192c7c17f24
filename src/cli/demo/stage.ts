import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text as readAll } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { KubesyncError } from '../../errors.ts'
import { styleFor } from '../../ui/style.ts'
import { printable, printableLines } from '../../ui/text.ts'
import type { Cli } from '../io.ts'

/** Where a demo plays: a directory of its own, in which commands of this program run as a user would run them. */
export interface Stage {
  readonly cli: Cli
  readonly dir: string
  readonly env: NodeJS.ProcessEnv
  /** Whether nobody is asked before a step. */
  readonly unasked: boolean
}

export async function openStage(cli: Cli, unasked: boolean): Promise<Stage> {
  const dir = await mkdtemp(join(tmpdir(), 'kubesync-demo-'))
  const { KUBECONFIG: _kubeconfig, KUBESYNC_CONFIG: _config, ...env } = cli.io.env
  return { cli, dir, env: { ...env, KUBESYNC_HOME: join(dir, '.kubesync') }, unasked }
}

export async function closeStage(stage: Stage): Promise<void> {
  await rm(stage.dir, { recursive: true, force: true })
}

/** A line of the story. Texts of a container are in some of them, so it is made printable. */
export function say(stage: Stage, text: string): void {
  stage.cli.io.stdout.write(`${printableLines(text).replace(/^(?=.)/gm, '   ')}\n`)
}

/** The beginning of a step; somebody who watches says when. */
export async function step(stage: Stage, title: string): Promise<void> {
  const { stdout, signal } = stage.cli.io
  const style = styleFor(stdout)
  stdout.write(`\n${style('bold', title)}\n`)
  if (stage.unasked) return
  stdout.write('   press Enter ')
  await line(signal)
}

/** Runs a command of this program, and shows it as it would be typed. Its output comes back. */
export async function ksync(stage: Stage, ...args: string[]): Promise<string> {
  command(stage, `${stage.cli.name} ${args.join(' ')}`)
  return quietly(stage, args, stage.cli.io.signal)
}

/** A command line, as it would be typed. */
export function command(stage: Stage, text: string): void {
  const { stdout } = stage.cli.io
  stdout.write(`   ${styleFor(stdout)('cyan', `$ ${printable(text)}`)}\n`)
}

/** The same without showing it; without `signal` it runs although the demo was interrupted. */
export async function quietly(stage: Stage, args: readonly string[], signal?: AbortSignal): Promise<string> {
  const program = process.argv[1] ?? ''
  const child = spawn(process.execPath, [program, ...args], {
    cwd: stage.dir,
    env: stage.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal === undefined ? {} : { signal }),
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', (error) => reject(signal?.aborted ? signal.reason : error))
    child.on('close', resolve)
  })
  const [code, out, said] = await Promise.all([ended, readAll(child.stdout), readAll(child.stderr)])
  if (code === 0) return out
  throw new KubesyncError('DEMO_FAILED', `\`${args.join(' ')}\` failed: ${(said || out).trim()}`)
}

/** Looks again and again until `look` has an answer; the milliseconds that took with it. */
export async function soon<T>(
  stage: Stage,
  what: string,
  look: () => Promise<T | undefined>,
): Promise<{ seen: T; ms: number }> {
  const start = performance.now()
  for (;;) {
    stage.cli.io.signal.throwIfAborted()
    const seen = await look()
    const ms = Math.round(performance.now() - start)
    if (seen !== undefined) return { seen, ms }
    if (ms > limit) throw new KubesyncError('DEMO_FAILED', `after ${limit / 1000} s still not so: ${what}`)
    await delay(2)
  }
}

/** How long a step may take, in milliseconds. */
const limit = 60_000

/** Waits for a line on stdin. */
function line(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      process.stdin.pause()
      process.stdin.off('data', end)
      signal.removeEventListener('abort', abort)
      resolve()
    }
    const abort = () => {
      end()
      reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
    process.stdin.on('data', end).resume()
  })
}
