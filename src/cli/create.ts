import { type Command, Option } from 'commander'
import type { Spec } from '../config/spec.ts'
import { printable } from '../ui/text.ts'
import { newCommand } from './command.ts'
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
import { describeSpec } from './words.ts'

interface CreateOptions extends SpecOptions, ConfigOptions, ConfirmOptions {
  readonly force?: true
}

export function createCommand(cli: Cli): Command {
  const words = {
    usage: 'create <LOCAL> <REMOTE>',
    summary: 'Adds a spec: a folder here, a folder in containers, and which pods those are in.',
    details: [
      'A running `watch` picks it up. The pods need not exist yet. What only one side has is copied to the',
      'other; what differs when they meet waits as a conflict, and nothing is overwritten, unless --mode or',
      '--first-contact says so. A mirror deletes what the side that is written has more.',
    ].join(' '),
    examples: [
      'create --selector=app=demo ./demo /app',
      'create --name logs --pod demo-0 --remote-read-only ./logs /var/log/demo',
    ],
  }
  const own = [new Option('--force', 'even if another spec syncs the same files')]
  return newCommand(cli, words, [
    ...specOptions(),
    ...own,
    confirmOption(),
    ...kubeOptions(),
    ...configOptions(),
  ]).action((local: string, remote: string, options: CreateOptions) =>
    create(cli, { local, remote, options }),
  )
}

interface Created {
  readonly local: string
  readonly remote: string
  readonly options: CreateOptions
}

async function create(cli: Cli, { local, remote, options }: Created): Promise<void> {
  const { addSpec } = await import('../config/store.ts')
  const { newName, refuseOverlap } = await import('../config/specs.ts')
  const { pathsOf } = await import('./paths.ts')
  const { nameSpec, readSpec } = await import('./spec.ts')
  const paths = pathsOf(cli, options)
  const wanted = await readSpec(cli, { local, remote, options, paths })
  const { mayWrite } = await import('./manifests/guard.ts')
  if (!(await mayWrite(cli, wanted, options))) {
    cli.exitCode = 1
    return
  }
  const made = await addSpec(paths.config, (specs) => {
    const spec = nameSpec(wanted, options.name ?? newName(specs))
    if (options.force !== true) refuseOverlap(spec, specs)
    return spec
  })
  cli.io.stdout.write(`${made.name}\n`)
  await sayWhatNext(cli, made, paths.socket)
}

async function sayWhatNext(cli: Cli, spec: Spec, socket: string): Promise<void> {
  const { askStatus } = await import('../daemon/client.ts')
  const { stderr } = cli.io
  stderr.write(`${printable(describeSpec(spec))}\n`)
  // It was written down: a watch that does not answer changes nothing about that.
  const running = await askStatus(socket).catch(() => undefined)
  if (running?.watches !== true)
    stderr.write(describeHint(`no watch runs; \`${cli.name} watch -b\` starts syncing`, stderr))
}
