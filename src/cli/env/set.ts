import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { kubeEnv } from '../../config/settings.ts'
import { changeSettings } from '../../config/store.ts'
import { errnoOf, KubesyncError } from '../../errors.ts'
import { KubeClient } from '../../kube/client.ts'
import { type KubeContext, loadContext } from '../../kube/config.ts'
import { ApiError } from '../../kube/errors.ts'
import { resourcePath } from '../../kube/resource.ts'
import { changePin } from '../../manifests/folder/pin.ts'
import { printable } from '../../ui/text.ts'
import type { EnvOptions, Wanted } from '../env.ts'
import type { Cli } from '../io.ts'
import { pathsOf } from '../paths.ts'
import { describeHint } from '../report.ts'
import { parseObjectName } from '../values.ts'
import { findFolder, findWhere, settingsOf } from '../where.ts'

/** Writes down what is meant from now on, and says what holds then. */
export async function setEnv(cli: Cli, { context, namespace }: Wanted, options: EnvOptions): Promise<void> {
  const settings = await settingsOf(cli, options)
  const folder = await findFolder(cli, settings)
  if (namespace !== undefined) parseObjectName('namespace')(namespace)
  const env = kubeEnv(settings)
  const { kubeconfig } = options
  // What is not there is refused before anything is written.
  const target =
    context === undefined
      ? (await findWhere(cli, options, folder.pin)).context
      : await loadContext({ kubeconfig, context, env })
  if (options.pin === true) {
    const server = folder.pin.server === undefined ? undefined : target.server
    await changePin(folder.isPinned ? folder.root : cli.io.cwd, {
      ...(context !== undefined && { context, ...(server !== undefined && { server }) }),
      ...(namespace !== undefined && { namespace }),
    })
  } else {
    await changeSettings(pathsOf(cli, options).config, [
      ...(context === undefined ? [] : [{ place: ['context'], value: context }]),
      ...(namespace === undefined ? [] : [{ place: ['namespaces', target.name], value: namespace }]),
    ])
  }
  if (options.kubectl === true) {
    const file = kubeconfig === undefined ? [] : ['--kubeconfig', resolve(cli.io.cwd, kubeconfig)]
    if (context !== undefined) await kubectl(['config', 'use-context', target.name, ...file], env)
    if (namespace !== undefined) {
      await kubectl(['config', 'set-context', target.name, `--namespace=${namespace}`, ...file], env)
    }
  }
  await sayWhatHolds(cli, { context, namespace }, options)
  if (namespace !== undefined) await sayIfMissing(cli, target, namespace)
}

/** How long is waited for a cluster to say whether it has a namespace, in milliseconds. */
const lookMs = 3_000

/** A namespace may be made later, and the cluster be away; a misspelt one is worth a word. */
async function sayIfMissing(
  { io: { stderr, signal } }: Cli,
  target: KubeContext,
  name: string,
): Promise<void> {
  const client = new KubeClient(target)
  const path = resourcePath({ apiVersion: 'v1', plural: 'namespaces', name })
  const limit = AbortSignal.any([signal, AbortSignal.timeout(lookMs)])
  const error = await client
    .request({ path, timeoutMs: lookMs, signal: limit })
    .then(
      () => undefined,
      (reason: unknown) => reason,
    )
    .finally(() => client.close())
  signal.throwIfAborted()
  if (!(error instanceof ApiError) || error.status.code !== 404) return
  stderr.write(
    describeHint(`there is no namespace ${printable(name)} in ${printable(target.name)} yet`, stderr),
  )
}

/** kubectl knows which of several files has what, and how it is locked. */
async function kubectl(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn('kubectl', args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const failed = (reason: string) =>
    new KubesyncError('KUBECONFIG_UNCHANGED', `the kubeconfig could not be changed: ${reason}`, {
      hint: "kubesync's own setting was changed all the same",
    })
  const [said, code] = await Promise.all([text(child.stderr), ended]).catch((error: unknown) => {
    throw errnoOf(error) === 'ENOENT' ? failed('there is no kubectl, which does that') : error
  })
  if (code !== 0) throw failed(said.trim())
}

async function sayWhatHolds(cli: Cli, wanted: Wanted, options: EnvOptions): Promise<void> {
  const { stderr } = cli.io
  const { pin } = await findFolder(cli, await settingsOf(cli, options))
  const { context, said } = await findWhere(cli, options, pin)
  stderr.write(`context ${printable(context.name)} (${said.context}), `)
  stderr.write(`namespace ${printable(context.namespace)} (${said.namespace})\n`)
  const isHidden =
    (wanted.context ?? context.name) !== context.name ||
    (wanted.namespace ?? context.namespace) !== context.namespace
  if (isHidden) {
    const hint =
      'what was set does not hold in this folder, because of what comes before it; --pin changes that of the folder'
    stderr.write(describeHint(hint, stderr))
  }
}
