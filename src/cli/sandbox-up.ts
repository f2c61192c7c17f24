import { join } from 'node:path'
import { tryLock } from '../config/lock.ts'
import { findPaths } from '../config/paths.ts'
import { startDetached } from '../daemon/detached.ts'
import { KubesyncError } from '../errors.ts'
import { askStatus } from '../sandbox/control-client.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { count, printable } from '../ui/text.ts'
import type { Cli } from './io.ts'
import type { SandboxOptions } from './sandbox.ts'
import { usageOf, warningFor } from './sandbox-words.ts'

/** How long it may take until it answers, in milliseconds. */
const limitMs = 15_000

/** Starts the sandbox in the background, unless it runs already, and tells how to use it. */
export async function up(cli: Cli, { nodes }: SandboxOptions): Promise<void> {
  checkPlatform()
  const { sandbox: dir, sandboxLog: log } = findPaths({ env: cli.io.env })
  const socket = join(dir, 'control.sock')
  const running = await askStatus(socket)
  const { stdout, stderr } = cli.io
  if (running !== undefined) {
    stderr.write(
      `the sandbox runs already, with ${count(running.nodes.length, 'node')} (process ${running.pid})\n`,
    )
    stdout.write(usageOf(cli.name, running.kubeconfig))
    return
  }
  const args = ['sandbox', 'up', '--foreground', '--nodes', String(nodes)]
  const isUp = async (pid: number) => (await askStatus(socket).catch(() => undefined))?.pid === pid
  const started = await startDetached({ args, env: cli.io.env, log, limitMs, isUp })
  if ('failure' in started) {
    throw new KubesyncError('SANDBOX_NOT_STARTED', `the sandbox did not start: ${started.failure}`, {
      hint: `its log is ${log}; \`${cli.name} sandbox up --foreground\` shows what happens`,
    })
  }
  stderr.write(
    `the sandbox is up, with ${count(nodes, 'node')} (process ${started.pid}, log ${printable(log)})\n`,
  )
  stderr.write(warningFor(stderr))
  stdout.write(usageOf(cli.name, join(dir, 'kubeconfig')))
}

/** Is the sandbox, until interrupted or told to end. */
export async function upInForeground(cli: Cli, { nodes }: SandboxOptions): Promise<void> {
  checkPlatform()
  const { sandbox: dir } = findPaths({ env: cli.io.env })
  const attempt = await tryLock(`${dir}.lock`)
  if (!attempt.taken) {
    throw new KubesyncError('SANDBOX_RUNS', `the sandbox runs already, as process ${attempt.owner.pid}`, {
      hint: `\`${cli.name} sandbox status\` tells of it, \`${cli.name} sandbox down\` ends it`,
    })
  }
  try {
    const { startSandbox } = await import('../sandbox/sandbox.ts')
    const sandbox = await startSandbox({ dir, nodes })
    cli.io.stderr.write(`the sandbox is up, with ${count(nodes, 'node')}, at ${sandbox.server}\n`)
    cli.io.stderr.write(warningFor(cli.io.stderr))
    cli.io.stdout.write(usageOf(cli.name, sandbox.kubeconfig))
    await untilTheEnd(cli, sandbox)
    await sandbox.close()
    cli.io.stderr.write('the sandbox is down\n')
  } finally {
    await attempt.lock.release()
  }
}

async function untilTheEnd({ io }: Cli, sandbox: Sandbox): Promise<void> {
  const interrupted = new Promise<void>((resolve) => {
    if (io.signal.aborted) resolve()
    io.signal.addEventListener('abort', () => resolve(), { once: true })
  })
  await Promise.race([interrupted, sandbox.downAsked])
}

function checkPlatform(): void {
  if (process.platform === 'linux') return
  throw new KubesyncError(
    'SANDBOX_NEEDS_LINUX',
    `the sandbox runs on Linux only, and this is ${process.platform}`,
    {
      hint: 'run it in a Linux virtual machine or container, or use a cluster such as kind',
    },
  )
}
