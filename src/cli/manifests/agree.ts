import { realpath, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { KeepOrder } from '../../daemon/keeps/order.ts'
import { KubesyncError } from '../../errors.ts'
import type { KubeClient } from '../../kube/client.ts'
import type { FirstPass } from '../../manifests/keep/first-pass.ts'
import { styleFor } from '../../ui/style.ts'
import { confirm } from '../ask.ts'
import { kubeconfigOf } from '../background.ts'
import { connect } from '../connect.ts'
import type { DaemonOptions } from '../daemon.ts'
import type { Cli } from '../io.ts'
import { pathsOf } from '../paths.ts'
import { describeHint } from '../report.ts'
import { findFolder, settingsOf } from '../where.ts'
import { recapFirstPass, showFirstPass } from './first-pass.ts'
import { isProtected, mayWrite } from './guard.ts'

/**
 * Shows where a folder would be kept in step, and what that would write at first, and asks. Undefined if somebody does not want it, or
 * nobody can be asked.
 */
export async function agreeOn(
  cli: Cli,
  given: string | undefined,
  options: DaemonOptions,
): Promise<KeepOrder | undefined> {
  const { checkPin, findPin } = await import('../../manifests/folder/pin.ts')
  const folder = await folderAt(cli, given ?? (await usualFolder(cli, options)))
  const found = await stat(folder).catch(() => undefined)
  if (found?.isDirectory() !== true) {
    throw new KubesyncError('NO_SUCH_DIRECTORY', `there is no folder ${folder}`)
  }
  const { pin } = await findPin(folder)
  const client = await connect(cli, options, pin)
  try {
    const { name: context, server, namespace } = client.context
    checkPin(pin, { context, server })
    const { mode, onConflict, onDeletion } = options
    const place = { folder, kubeconfig: await kubeconfigOf(cli, options), context, server, namespace }
    const isFree = !isProtected(context, await settingsOf(cli, options))
    const mayWriteCluster = mode !== 'to-files' || isFree || options.confirmContext === context
    const order = { ...place, mode, onConflict, onDeletion, mayWriteCluster }
    await refuseSecond(cli, order, options)
    return (await isWanted(cli, { order, client, layout: pin.layout }, options)) ? order : undefined
  } finally {
    client.close()
  }
}

/** A folder by its name: absolute, links followed. */
export async function folderAt({ io }: Cli, given: string): Promise<string> {
  const path = resolve(io.cwd, given)
  // One that is gone can still be ended by its name.
  return realpath(path).catch(() => path)
}

/** The one that is configured, unless the command was given in a folder of manifests. */
async function usualFolder(cli: Cli, options: DaemonOptions): Promise<string> {
  const { root, isElsewhere } = await findFolder(cli, await settingsOf(cli, options))
  return isElsewhere ? root : cli.io.cwd
}

/** What a second one would show is what the first one is about to write. */
async function refuseSecond(cli: Cli, order: KeepOrder, options: DaemonOptions): Promise<void> {
  const { askStatus } = await import('../../daemon/client.ts')
  const { isSamePlace } = await import('../../daemon/keeps/order.ts')
  const { keepRunning } = await import('../../daemon/keeps/runner.ts')
  const running = await askStatus(pathsOf(cli, options).socket)
  const other = running?.keeps.find((one) => isSamePlace(one, order) && one.status?.state !== 'stopped')
  if (running !== undefined && other !== undefined) throw keepRunning(order, running.pid)
}

interface Proposal {
  readonly order: KeepOrder
  readonly client: KubeClient
  readonly layout: string | undefined
}

async function isWanted(
  cli: Cli,
  { order, client, layout }: Proposal,
  options: DaemonOptions,
): Promise<boolean> {
  const { ask, stdout, stderr } = cli.io
  const pass = await look(cli, { order, client, layout }, options)
  stdout.write(showFirstPass(pass, styleFor(stdout)))
  const recap = recapFirstPass(pass)
  const { mode } = order
  if (recap !== '' && options.force !== true) {
    if (ask === undefined) {
      const hint = 'nothing was begun: there is no terminal to ask at, and --force was not given'
      stderr.write(describeHint(hint, stderr))
      return false
    }
    if (!(await confirm(ask, `Write that (${recap}), and keep them in step from then on?`))) return false
  }
  return mode === 'to-files' || mayWrite(cli, { context: client.context.name }, options)
}

async function look(
  cli: Cli,
  { order, client, layout }: Proposal,
  options: DaemonOptions,
): Promise<FirstPass> {
  const { withLock } = await import('../../config/lock.ts')
  const { setting } = await import('../../config/settings.ts')
  const { mendInterrupted } = await import('./interrupted.ts')
  const { firstPass } = await import('../../manifests/keep/first-pass.ts')
  const { openSession } = await import('../../manifests/session.ts')
  const settings = await settingsOf(cli, options)
  const { state } = pathsOf(cli, options)
  const secrets = setting('journal.secrets', settings)
  const sanitize = setting('sanitize', settings)
  const session = await openSession({ client, root: order.folder, state, secrets, sanitize, withLock })
  try {
    // Half of a change is no edit of anybody.
    await mendInterrupted(cli, { session, options })
    return await firstPass(session, { ...order, layout: layout ?? setting('layout', settings) })
  } finally {
    await session.close()
  }
}
