import { type Command, Option } from 'commander'
import type { Config } from '../config/document.ts'
import { count, printable } from '../ui/text.ts'
import { newCommand } from './command.ts'
import { type Cli, Interrupted } from './io.ts'
import { logTo } from './log.ts'
import { type ConfigOptions, configOptions, type KubeconfigOptions, kubeconfigOptions } from './options.ts'
import { usageError } from './values.ts'

interface WatchOptions extends ConfigOptions, KubeconfigOptions {
  readonly background?: true
  readonly stop?: true
}

export function watchCommand(cli: Cli): Command {
  const words = {
    usage: 'watch',
    summary: 'Syncs every spec, for as long as it runs.',
    details: [
      'It picks up what `create` and `delete` do, waits for pods that are not there yet, and follows pods as they',
      'come, restart and go. There is one watch for a configuration; `get` shows how it does.',
    ].join(' '),
    examples: ['watch', 'watch -b', 'watch --stop'],
  }
  return newCommand(cli, words, [
    new Option('-b, --background', 'run in the background, with a log file'),
    new Option('--stop', 'end the watch that runs'),
    ...kubeconfigOptions(),
    ...configOptions(),
  ]).action((options: WatchOptions) => {
    if (options.background && options.stop) throw usageError('either --background or --stop, not both')
    if (options.stop) return stop(cli, options)
    return options.background ? background(cli, options) : watch(cli, options)
  })
}

async function background(cli: Cli, options: WatchOptions): Promise<void> {
  const { startInBackground } = await import('./background.ts')
  const { pid, log } = await startInBackground(cli, options)
  cli.io.stdout.write(`process ${pid} watches in the background; its log is ${printable(log)}\n`)
}

async function stop(cli: Cli, options: WatchOptions): Promise<void> {
  const { pathsOf } = await import('./paths.ts')
  const { stopWatch } = await import('../daemon/background.ts')
  const pid = await stopWatch(pathsOf(cli, options))
  cli.io.stderr.write(pid === undefined ? 'no watch runs\n' : `the watch (process ${pid}) has ended\n`)
}

async function watch(cli: Cli, options: WatchOptions): Promise<void> {
  const { startWatch } = await import('../daemon/watch.ts')
  const { pathsOf } = await import('./paths.ts')
  const { liveWorld } = await import('../daemon/live-world.ts')
  const { signal, stderr } = cli.io
  const log = logTo(stderr)
  const paths = pathsOf(cli, options)
  const { kubeconfig } = options
  const newWorld = (config: () => Config) =>
    liveWorld({ kubeconfig, env: cli.io.env, config, trash: paths.trash })
  const watching = await startWatch({ paths, log, newWorld })
  const specs = count(watching.status.specs.length, 'spec')
  log({ level: 'info', message: `process ${process.pid} watches ${specs} of ${paths.config}` })
  if (watching.status.specs.length === 0) log({ level: 'info', message: `\`${cli.name} create\` adds one` })
  await Promise.race([watching.closed, aborted(signal)])
  log({ level: 'info', message: 'ending' })
  await watching.stop()
  if (!signal.aborted || isTermination(signal.reason)) return
  throw signal.reason
}

function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    signal.addEventListener('abort', resolve, { once: true })
  })
}

/** SIGTERM is how a service is told to end: it did as it was told. */
function isTermination(reason: unknown): boolean {
  return reason instanceof Interrupted && reason.exitCode === 128 + 15
}
