import { join } from 'node:path'
import { findPaths } from '../config/paths.ts'

import { askStatus, type SandboxStatus } from '../sandbox/control-client.ts'
import { formatTable } from '../ui/table.ts'
import { duration, printable } from '../ui/text.ts'
import type { Cli } from './io.ts'
import type { OutputFormat } from './options.ts'
import { printData } from './output.ts'

/** Tells of the sandbox that runs, or how to start one; the exit code is 1 if none runs. */
export async function status(cli: Cli, output: OutputFormat | undefined): Promise<void> {
  const running = await askStatus(join(findPaths({ env: cli.io.env }).sandbox, 'control.sock'))
  if (running === undefined) {
    cli.exitCode = 1
    cli.io.stderr.write(`no sandbox runs; \`${cli.name} sandbox up\` starts one\n`)
    return
  }
  const names = running.nodes.map(({ name }) => name)
  await printData(cli, { format: output, data: running, names }, () => describe(running))
}

function describe({ nodes, pods, faults, ...sandbox }: SandboxStatus): string {
  const age = duration(Date.now() - Date.parse(sandbox.startedAt))
  const rows = nodes.map(({ name, ready, pods }) => [name, ready ? 'Ready' : 'NotReady', String(pods)])
  const facts = [
    ['server', sandbox.server],
    ['kubeconfig', printable(sandbox.kubeconfig)],
    ['up', `${age} (process ${sandbox.pid})`],
    ['pods', `${pods.running} of ${pods.total} running`],
    ['faults', faults.length === 0 ? 'none' : faults.join('; ')],
  ]
  const lines = facts.map(([name, value]) => `${`${name}:`.padEnd(12)}${value}\n`).join('')
  return `${lines}\n${formatTable(['node', 'status', 'pods'], rows)}`
}
