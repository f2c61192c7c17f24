import { type Command, Option } from 'commander'
import type { Paths } from '../config/paths.ts'
import type { Spec } from '../config/spec.ts'
import type { RunResult } from '../daemon/run.ts'
import type { BoundSessionStatus } from '../daemon/status.ts'
import { KubesyncError } from '../errors.ts'
import { createProgress } from '../ui/progress.ts'
import { count, duration, grouped, printable } from '../ui/text.ts'
import { newCommand } from './command.ts'
import { conflictHints } from './get-hints.ts'
import { describeTroubles } from './get-notes.ts'
import { describeSession } from './get-rows.ts'
import type { Cli } from './io.ts'
import {
  type ConfigOptions,
  type ConfirmOptions,
  configOptions,
  confirmOption,
  kubeOptions,
  type SpecOptions,
  specOptions,
} from './options.ts'
import { describeHint } from './report.ts'
import { runReport } from './run-report.ts'
import { parseDuration, usageError } from './values.ts'

interface RunOptions extends SpecOptions, ConfigOptions, ConfirmOptions {
  readonly once?: true
  readonly force?: true
  readonly yes?: true
  readonly timeout: number
}

export function runCommand(cli: Cli): Command {
  const words = {
    usage: 'run <NAME|LOCAL> [REMOTE]',
    summary: 'Syncs one spec in the foreground, for the lifetime of its pod.',
    details: [
      'With LOCAL and REMOTE nothing is written to the configuration. With --once it brings both sides in step and',
      'ends; the exit code is 0 if they are, 1 if there are conflicts or problems, and 2 if it failed.',
    ].join(' '),
    examples: [
      'run -l app=demo ./demo /app',
      'run calm-otter',
      'run --once --pod demo-0 ./logs /var/log/demo',
    ],
  }
  return newCommand(cli, words, [
    new Option('--once', 'bring both sides in step, and end'),
    new Option('--timeout <time>', 'how long --once waits for a container')
      .argParser(parseDuration)
      .default(30_000, '30s'),
    ...specOptions(),
    new Option('--yes', 'go on where it would halt, as before many deletions'),
    new Option('--force', 'even if the running watch syncs the same files'),
    confirmOption(),
    ...kubeOptions(),
    ...configOptions(),
  ]).action((first: string, remote: string | undefined, options: RunOptions) =>
    run(cli, { first, remote, options }),
  )
}

interface Given {
  /** The name of a spec, or the local folder. */
  readonly first: string
  readonly remote: string | undefined
  readonly options: RunOptions
}

async function run(cli: Cli, given: Given): Promise<void> {
  const { runOne } = await import('../daemon/run.ts')
  const { startSweeper } = await import('../daemon/sweeper.ts')
  const { loadConfig } = await import('../config/store.ts')
  const { pathsOf } = await import('./paths.ts')
  const { liveWorld } = await import('../daemon/live-world.ts')
  const { options } = given
  const paths = pathsOf(cli, options)
  const config = await loadConfig(paths.config)
  const { reachable } = await import('./reach.ts')
  const { mayWrite } = await import('./manifests/guard.ts')
  const wanted = await specOf(cli, given, { paths, specs: config.specs })
  if (!(await mayWrite(cli, wanted, options))) {
    cli.exitCode = options.once === true ? 2 : 1
    return
  }
  const spec = await reachable(cli, wanted, {
    agents: config.agents,
    kubeconfig: options.kubeconfig,
    config: options.config,
  })
  const { trash } = paths
  const world = liveWorld({ kubeconfig: options.kubeconfig, env: cli.io.env, config: () => config, trash })
  const { stderr } = cli.io
  const progress = createProgress(stderr)
  const report = runReport({ progress, quiet: options.once === true && !cli.verbose })
  const limit = patience(cli, options)
  const sweeper = startSweeper({ home: trash, limits: () => config.trash, log: report.log })
  const startedAt = performance.now()
  const result = await runOne({
    ...{ spec, stateRoot: paths.state, once: options.once === true, approve: options.yes === true },
    ...{ world, log: report.log, signal: limit.signal },
    onStatus(status) {
      if (status.sessions.length > 0) limit.found()
      report.status(status)
    },
  }).finally(() => {
    void sweeper.stop()
    progress.done()
    limit.found()
  })
  cli.io.signal.throwIfAborted()
  const ms = performance.now() - startedAt
  conclude(cli, result, { once: options.once === true, mode: spec.mode, ms })
}

/** What is configured, and where. */
interface Configured {
  readonly paths: Paths
  readonly specs: readonly Spec[]
}

async function specOf(cli: Cli, { first, remote, options }: Given, configured: Configured): Promise<Spec> {
  const { named } = await import('../config/store.ts')
  const { paths, specs } = configured
  if (remote === undefined) {
    // No name has any of these: a folder is meant.
    if (/[/\\.]/.test(first)) {
      throw usageError('which folder in the containers?', 'say `run LOCAL REMOTE`, or `run NAME` for a spec')
    }
    refuseSpecFlags(options)
    return named(specs, first)
  }
  const { nameSpec, readSpec } = await import('./spec.ts')
  const spec = nameSpec(await readSpec(cli, { local: first, remote, options, paths }), options.name ?? 'run')
  if (options.force !== true) await refuseWatched(spec, configured)
  return spec
}

function refuseSpecFlags(options: RunOptions): void {
  const flags = [
    ...(['selector', 'pod', 'container', 'namespace', 'context', 'name'] as const),
    ...(['mode', 'firstContact'] as const),
    ...(['pods', 'twoWayAll', 'localReadOnly', 'remoteReadOnly', 'agent', 'agentImage'] as const),
    ...(['ignore', 'ignoreVcs', 'useGitignore', 'noUpload', 'noDownload'] as const),
    ...(['reload', 'reloadOn'] as const),
  ]
  if (flags.every((flag) => options[flag] === undefined)) return
  throw usageError(
    'a spec that is run by name is run as it is',
    'to sync other folders or pods say `run LOCAL REMOTE`',
  )
}

/** Two who sync the same files undo each other's work; specs that nobody watches are in nobody's way. */
async function refuseWatched(spec: Spec, { paths, specs }: Configured): Promise<void> {
  const { askStatus } = await import('../daemon/client.ts')
  const { overlap } = await import('../config/specs.ts')
  if ((await askStatus(paths.socket))?.watches !== true) return
  for (const other of specs) {
    const where = overlap(spec, other)
    if (where === undefined) continue
    throw new KubesyncError(
      'SPEC_OVERLAPS',
      `a watch runs, and ${where} overlaps with that of ${other.name}`,
      {
        hint: 'end the watch (ksync watch --stop), choose other folders, or insist with --force',
      },
    )
  }
}

interface Patience {
  readonly signal: AbortSignal
  /** There is a container: from now on it takes as long as it takes. */
  found(): void
}

/** `--once` does not wait for ever for a container that may never come. */
function patience(cli: Cli, { once, timeout }: RunOptions): Patience {
  if (once !== true) return { signal: cli.io.signal, found: () => {} }
  const over = new AbortController()
  const timer = setTimeout(() => over.abort(), timeout)
  return { signal: AbortSignal.any([cli.io.signal, over.signal]), found: () => clearTimeout(timer) }
}

interface Concluded {
  readonly once: boolean
  readonly mode: Spec['mode']
  readonly ms: number
}

function conclude(cli: Cli, result: RunResult, { once, mode, ms }: Concluded): void {
  const { stderr } = cli.io
  const { kind, message, status } = result
  if (kind === 'failed') {
    const halted = status.sessions.some(({ session }) => session?.phase === 'halted')
    throw new KubesyncError('RUN_FAILED', message ?? 'it failed', {
      ...(halted ? { hint: 'if that is meant to be, --yes goes on' } : {}),
    })
  }
  if (kind === 'stopped') {
    throw new KubesyncError(
      'NO_CONTAINER',
      `there is no container to sync with: ${status.message ?? 'none was found'}`,
      {
        hint: '--timeout says how long to wait for one',
      },
    )
  }
  if (kind === 'gone') stderr.write('the pod is gone\n')
  const troubles = status.sessions.flatMap(({ session }) =>
    session === undefined ? [] : describeTroubles(session),
  )
  for (const trouble of troubles) stderr.write(`${printable(trouble)}\n`)
  for (const bound of once ? status.sessions : [])
    stderr.write(`${printable(summary(bound))} (${duration(ms)})\n`)
  for (const hint of once ? conflictHints([{ mode, sessions: status.sessions }]) : []) {
    stderr.write(describeHint(hint, stderr))
  }
  if (once && troubles.length > 0) cli.exitCode = 1
}

function summary({ pod, container, session }: BoundSessionStatus): string {
  if (session === undefined) return `${pod}/${container}`
  const { entries, applied } = session
  const what = [
    count(entries.local, 'entry', 'entries'),
    `${grouped(applied.remote)} sent`,
    `${grouped(applied.local)} received`,
  ].join(', ')
  return `${pod}/${container}: ${describeSession(session)}: ${what}`
}
