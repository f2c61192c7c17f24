import { type Command, Option } from 'commander'
import { count } from '../ui/text.ts'
import { newCommand } from './command.ts'
import type { Cli } from './io.ts'
import { logTo } from './log.ts'
import { type ConfigOptions, configOptions, type KubeconfigOptions, kubeconfigOptions } from './options.ts'
import { usageError } from './values.ts'

interface WatchOptions extends ConfigOptions, KubeconfigOptions {
  readonly background?: true
  readonly stop?: true
  readonly serve?: true
}

export function watchCommand(cli: Cli): Command {
  const words = {
    usage: 'watch',
    summary: 'Syncs every spec, for as long as it runs.',
    details: [
      'It picks up what `create` and `delete` do, waits for pods that are not there yet, and follows pods as they',
      'come, restart and go. There is one watch for a configuration, and one process for it and what `daemon` does;',
      '`get` shows how both do.',
    ].join(' '),
    examples: ['watch', 'watch -b', 'watch --stop'],
  }
  return newCommand(cli, words, [
    new Option('-b, --background', 'run in the background, with a log file'),
    new Option('--stop', 'end the watch that runs'),
    // How the process in the background is started.
    new Option('--serve').hideHelp(),
    ...kubeconfigOptions(),
    ...configOptions(),
  ]).action((options: WatchOptions) => {
    if (options.background && options.stop) throw usageError('either --background or --stop, not both')
    if (options.stop) return stop(cli, options)
    if (options.serve) return serve(cli, options)
    return options.background ? background(cli, options) : watch(cli, options)
  })
}

async function background(cli: Cli, options: WatchOptions): Promise<void> {
  const { kubeconfigOf, startInBackground, takerWords } = await import('./background.ts')
  const taker = await startInBackground(cli, options, {
    what: 'specs',
    kubeconfig: await kubeconfigOf(cli, options),
  })
  cli.io.stdout.write(`${takerWords(taker, 'watches')}\n`)
}

async function stop(cli: Cli, options: WatchOptions): Promise<void> {
  const { pathsOf } = await import('./paths.ts')
  const { stopWork } = await import('../daemon/background.ts')
  const stopped = await stopWork(pathsOf(cli, options), { what: 'specs' })
  const { stderr } = cli.io
  if (stopped?.isDone !== true) return void stderr.write('no watch runs\n')
  const rest = stopped.goesOn ? '; the process goes on for `daemon`' : ''
  stderr.write(`the watch (process ${stopped.pid}) has ended${rest}\n`)
}

async function serve(cli: Cli, options: WatchOptions): Promise<void> {
  const { pathsOf } = await import('./paths.ts')
  const { aborted, isTermination, startHost } = await import('./take-part.ts')
  const { signal, stderr } = cli.io
  const log = logTo(stderr)
  const watch = await startHost(cli, options, log, pathsOf(cli, options).log)
  log({ level: 'info', message: `process ${process.pid} runs in the background` })
  await Promise.race([watch.closed, aborted(signal)])
  log({ level: 'info', message: 'ending' })
  await watch.stop()
  if (signal.aborted && !isTermination(signal.reason)) throw signal.reason
}

async function watch(cli: Cli, options: WatchOptions): Promise<void> {
  const { kubeconfigOf } = await import('./background.ts')
  const { pathsOf } = await import('./paths.ts')
  const { takePart } = await import('./take-part.ts')
  const log = logTo(cli.io.stderr)
  const { config } = pathsOf(cli, options)
  await takePart(cli, options, {
    work: { what: 'specs', kubeconfig: await kubeconfigOf(cli, options) },
    log,
    begun(pid, own) {
      const specs = own?.status.specs.length
      const what = specs === undefined ? 'the specs' : count(specs, 'spec')
      log({ level: 'info', message: `process ${pid} watches ${what} of ${config}` })
      if (specs === 0) log({ level: 'info', message: `\`${cli.name} create\` adds one` })
    },
  })
}
