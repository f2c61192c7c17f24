import { setTimeout as delay } from 'node:timers/promises'
import { startBackground } from '../daemon/background.ts'
import { askToTake } from '../daemon/client.ts'
import { joinIn, type Work } from '../daemon/join.ts'
import { liveKeep } from '../daemon/keeps/live-keep.ts'
import { liveWorld } from '../daemon/live-world.ts'
import { startWatch, type Watch } from '../daemon/watch.ts'
import type { Log } from '../daemon/world.ts'
import { KubesyncError } from '../errors.ts'
import { backgroundOf } from './background.ts'
import { type Cli, Interrupted } from './io.ts'
import type { ConfigOptions } from './options.ts'
import { pathsOf } from './paths.ts'

/** Work that is done as long as a command runs. */
export interface Part {
  readonly work: Work
  readonly log: Log
  /** Told when it has begun, and in which process. */
  begun(pid: number, watch: Watch | undefined): void
}

/** For so long somebody who is about to be there or gone is waited for, and how often; milliseconds. */
const patience = 20_000
const pulse = 100

/**
 * Does work until the command is interrupted or somebody ends it: in this process, or in that which runs already. When that goes, this one
 * takes its place. Rejects as `Watch.sync` and `Watch.keep` do, and with KEEP_STOPPED when a conflict was to stop it.
 */
export async function takePart(cli: Cli, options: ConfigOptions, part: Part): Promise<void> {
  const { signal } = cli.io
  let until = Date.now() + patience
  for (;;) {
    const hosted = await host(cli, options, part)
    const over = 'refused' in hosted ? await join(cli, options, part) : hosted
    if (over === undefined && 'refused' in hosted && Date.now() > until) throw hosted.refused
    if (over === 'cut') until = Date.now() + patience
    if (over !== undefined && over !== 'cut') {
      if (over.reason !== '') throw new KubesyncError('KEEP_STOPPED', over.reason)
      break
    }
    await delay(pulse, undefined, { signal }).catch(() => {})
    if (signal.aborted) break
  }
  if (signal.aborted && !isTermination(signal.reason)) throw signal.reason
}

interface Over {
  /** Empty if somebody wanted it to end. */
  readonly reason: string
}

async function host(
  cli: Cli,
  options: ConfigOptions,
  part: Part,
): Promise<Over | { readonly refused: unknown }> {
  const { work, log } = part
  const started = await startHost(cli, options, log).catch((error: unknown) => {
    if (error instanceof KubesyncError && error.code === 'WATCH_RUNNING') return { refused: error }
    throw error
  })
  if ('refused' in started) return started
  let staying: Watch['staying'] | undefined
  try {
    const begun =
      work.what === 'specs' ? started.sync(work.kubeconfig, false) : started.keep(work.order, false)
    const share = await begun
    part.begun(process.pid, started)
    const { signal } = cli.io
    const reason = await Promise.race([
      started.closed.then(() => ''),
      share.ended,
      aborted(signal).then(() => ''),
    ])
    log({ level: 'info', message: 'ending' })
    return { reason }
  } finally {
    staying = started.staying
    await started.stop()
    if (staying.specs || staying.keeps) await handOver(cli, options, { ...part, staying })
  }
}

/** Becomes the process of a configuration. */
export function startHost(cli: Cli, options: ConfigOptions, log: Log, logFile?: string): Promise<Watch> {
  const paths = pathsOf(cli, options)
  const { env } = cli.io
  return startWatch({
    ...{ paths, log, logFile },
    newWorld: (config, kubeconfig) =>
      liveWorld({ env: { ...env, KUBECONFIG: kubeconfig }, config, trash: paths.trash }),
    newKeep: (config) => liveKeep({ state: paths.state, env, config }),
  })
}

/** What is to go on when this command ends goes on in the background. */
async function handOver(
  cli: Cli,
  options: ConfigOptions,
  { work, log, staying }: Part & Pick<Watch, 'staying'>,
): Promise<void> {
  const background = backgroundOf(cli, options)
  await startBackground(background).catch((error: unknown) => {
    // Somebody who took part in it was faster.
    if (!(error instanceof KubesyncError) || !error.message.includes('already')) throw error
  })
  const kubeconfig = work.what === 'specs' ? work.kubeconfig : work.order.kubeconfig
  if (staying.specs) await askToTake(background.paths.socket, { what: 'specs', kubeconfig })
  log({ level: 'info', message: 'what was started with -b goes on in the background' })
}

async function join(cli: Cli, options: ConfigOptions, part: Part): Promise<Over | 'cut' | undefined> {
  const { signal } = cli.io
  const joined = await joinIn(pathsOf(cli, options).socket, part.work, { log: part.log, signal })
  if (joined === undefined) return undefined
  part.begun(joined.pid, undefined)
  const over = await Promise.race([joined.over, aborted(signal).then(() => ({ reason: '' }))])
  if (over === 'cut') part.log({ level: 'info', message: `process ${joined.pid} is gone; this one goes on` })
  return over
}

export function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    signal.addEventListener('abort', resolve, { once: true })
  })
}

/** SIGTERM is how a service is told to end: it did as it was told. */
export function isTermination(reason: unknown): boolean {
  return reason instanceof Interrupted && reason.exitCode === 128 + 15
}
