import { access, constants, stat } from 'node:fs/promises'
import { posix, resolve, sep } from 'node:path'
import * as v from 'valibot'
import type { Paths } from '../config/paths.ts'
import { parseReload, reloadWords } from '../config/reload.ts'
import { type SettingSource, setting } from '../config/settings.ts'
import { imageName, type Spec, specSchema } from '../config/spec.ts'
import { errnoOf, KubesyncError, messageOf } from '../errors.ts'
import { type FirstContact, firstContactsOf, writesTo } from '../files/mode.ts'
import type { Cli } from './io.ts'
import type { AgentOptions, SpecOptions } from './options.ts'
import { parseObjectName, parseSelector, usageError } from './values.ts'
import { findWhere, settingsOf } from './where.ts'

export interface SpecInput {
  readonly local: string
  readonly remote: string
  readonly options: SpecOptions
  readonly paths: Paths
}

/** The spec that a command line asks for, all of it checked, with context and namespace frozen; it has no name yet. */
export async function readSpec(cli: Cli, input: SpecInput): Promise<Omit<Spec, 'name'>> {
  const { options } = input
  const which = { ...options, config: input.paths.config }
  const settings = await settingsOf(cli, which)
  const mode = modeOf(options, setting('defaults.mode', settings))
  const contact = firstContactOf(mode, options)
  const pods = podsFrom(options)
  const remote = remoteFolder(input.remote)
  const local = resolve(cli.io.cwd, input.local)
  await checkLocal(local, { writable: writesTo(mode, 'local') })
  refuseOwnFiles(local, input.paths)
  const { context } = await findWhere(cli, which)
  const where = { local, remote, context: context.name, namespace: context.namespace }
  const files = { ...ignoresFrom(options), ...attributesFrom(options) }
  const how = { ...reloadFrom(options, mode), ...files, ...agentFrom(withAgent(options, settings)) }
  return { ...where, ...pods, ...rolesFrom(options, mode), mode, ...contact, ...how }
}

/** A spec with a name, or an error about the name. */
export function nameSpec(spec: Omit<Spec, 'name'>, name: string): Spec {
  const result = v.safeParse(specSchema, { name, ...spec })
  if (result.success) return result.output
  throw usageError(`\`${name}\` cannot be the name of a spec`, result.issues[0].message)
}

function modeOf({ mode, localReadOnly, remoteReadOnly }: SpecOptions, usual: Spec['mode']): Spec['mode'] {
  if (mode !== undefined && (localReadOnly || remoteReadOnly)) {
    throw usageError('--mode says already which side is never written', 'leave the other flag out')
  }
  if (localReadOnly && remoteReadOnly) {
    throw usageError('with both sides read-only there is nothing to sync', 'leave one of the two flags out')
  }
  if (localReadOnly) return 'to-remote-safe'
  return remoteReadOnly ? 'to-local-safe' : (mode ?? usual)
}

function firstContactOf(
  mode: Spec['mode'],
  { firstContact }: SpecOptions,
): { readonly firstContact?: FirstContact } {
  if (firstContact === undefined) return {}
  const possible = firstContactsOf[mode]
  if (possible.includes(firstContact)) return { firstContact }
  throw usageError(
    `--first-contact ${firstContact} is not possible with ${mode}`,
    `it can be ${possible.join(' or ')}`,
  )
}

/** What the pods are to each other, from flags. */
function rolesFrom({ pods, twoWayAll }: SpecOptions, mode: Spec['mode']): Partial<Spec> {
  if (twoWayAll === true && (pods === 'leader' || !mode.startsWith('two-way'))) {
    const other = pods === 'leader' ? '--pods leader' : 'a mode that goes one way'
    throw usageError(`--two-way-all does not go with ${other}`, 'leave one of them out')
  }
  return {
    ...(pods === 'leader' ? { pods } : {}),
    ...(twoWayAll === true ? { twoWayAll } : {}),
  }
}

/** What is not synced, from flags; what is as it would be without them is left out. */
function ignoresFrom(options: SpecOptions): Partial<Spec> {
  const { ignore, ignoreVcs, useGitignore, noUpload, noDownload } = options
  return {
    ...(ignore === undefined ? {} : { ignore: [...ignore] }),
    ...(ignoreVcs === false ? { ignoreVcs } : {}),
    ...(useGitignore === true ? { useGitignore } : {}),
    ...(noUpload === undefined ? {} : { noUpload: [...noUpload] }),
    ...(noDownload === undefined ? {} : { noDownload: [...noDownload] }),
  }
}

/** With the agent that is configured, where no flag says which. */
export function withAgent<T extends AgentOptions>(options: T, settings: SettingSource): T {
  const usual = setting('defaults.agent', settings)
  return options.agent !== undefined || usual === 'daemonset' ? options : { ...options, agent: usual }
}

/** How containers are reached, from flags. */
export function agentFrom({ agent, agentImage }: AgentOptions): Pick<Spec, 'agent' | 'agentImage'> {
  if (agentImage !== undefined && agent !== 'ephemeral') {
    throw usageError('--agent-image is for --agent ephemeral', '`init --image` says it for agents on nodes')
  }
  if (agentImage !== undefined && !imageName.test(agentImage)) {
    throw usageError(`\`${agentImage}\` is not the name of an image`)
  }
  return {
    ...(agent === undefined ? {} : { agent }),
    ...(agentImage === undefined ? {} : { agentImage }),
  }
}

/** What is kept of files beside their content, from flags. */
function attributesFrom(options: SpecOptions): Pick<Spec, 'symlinks' | 'owner' | 'fileMode' | 'dirMode'> {
  const { symlinks, owner, fileMode, dirMode } = options
  return {
    ...(symlinks === undefined || symlinks === 'portable' ? {} : { symlinks }),
    ...(owner === undefined ? {} : { owner }),
    ...(fileMode === undefined ? {} : { fileMode }),
    ...(dirMode === undefined ? {} : { dirMode }),
  }
}

/** Which containers, from flags. */
export function podsFrom(options: SpecOptions): Pick<Spec, 'selector' | 'pod' | 'container'> {
  const { selector, pod, container } = options
  const inContainer = container === undefined ? {} : { container: parseObjectName('container')(container) }
  if (selector !== undefined && pod !== undefined) throw usageError('either --selector or --pod, not both')
  if (selector !== undefined) return { selector: parseSelector(selector), ...inContainer }
  if (pod !== undefined) return { pod: parseObjectName('pod')(pod), ...inContainer }
  throw usageError('which pods?', 'say it with --selector app=demo, or --pod NAME for one')
}

/** What is done after changes, from flags. */
function reloadFrom(
  { reload, reloadOn }: SpecOptions,
  mode: Spec['mode'],
): Pick<Spec, 'reload' | 'reloadOn'> {
  if (reload === undefined || reload === 'none') {
    if (reloadOn === undefined) return {}
    throw usageError('--reload-on says when, but nothing says how', 'add --reload restart, or another way')
  }
  if (parseReload(reload) === undefined)
    throw usageError(`\`${reload}\` is no way to reload`, `it is ${reloadWords}`)
  if (!writesTo(mode, 'remote')) {
    throw usageError(
      '--reload is for changes from here, and none are sent',
      'leave it or --remote-read-only out',
    )
  }
  return { reload, ...(reloadOn === undefined ? {} : { reloadOn: [...reloadOn] }) }
}

/** An absolute directory in a container, without `.`, `..` and doubled slashes. */
export function remoteFolder(given: string): string {
  if (!given.startsWith('/')) {
    throw usageError(
      `REMOTE has to be an absolute path in the container, not \`${given}\``,
      given.startsWith('.') ? 'write it like /app' : `did you mean /${given}?`,
    )
  }
  const folder = posix.normalize(given).replace(/(?<=.)\/$/, '')
  if (folder === '/')
    throw usageError('REMOTE cannot be the whole container', 'choose a folder in it, such as /app')
  return folder
}

/** LOCAL has to be a directory that this user may use as the spec wants. */
export async function checkLocal(local: string, { writable }: { writable: boolean }): Promise<void> {
  try {
    if (!(await stat(local)).isDirectory()) {
      throw new KubesyncError('NOT_A_DIRECTORY', `${local} is a file, not a directory`, {
        hint: 'name the folder that it is in',
      })
    }
    await access(local, constants.R_OK | constants.X_OK)
  } catch (error) {
    throw localError(local, error)
  }
  if (!writable) return
  await access(local, constants.W_OK).catch(() => {
    throw new KubesyncError('LOCAL_READ_ONLY', `${local} cannot be written by this user`, {
      hint: 'change its permissions, or say --local-read-only to sync from here to the containers only',
    })
  })
}

function localError(local: string, error: unknown): KubesyncError {
  if (error instanceof KubesyncError) return error
  switch (errnoOf(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new KubesyncError('NO_SUCH_DIRECTORY', `there is no folder ${local}`, {
        hint: 'make it first; an empty one is filled from the container',
      })
    case 'EACCES':
      return new KubesyncError('LOCAL_UNREADABLE', `${local} cannot be read by this user`)
    default:
      return new KubesyncError('LOCAL_UNREADABLE', `${local} cannot be read: ${messageOf(error)}`, {
        cause: error,
      })
  }
}

/** Writing down what was synced would be a change to sync, for ever. */
function refuseOwnFiles(local: string, paths: Paths): void {
  const base = local.endsWith(sep) ? local : `${local}${sep}`
  const own = [paths.state, paths.trash].find(
    (path) => `${path}${sep}`.startsWith(base) || base.startsWith(`${path}${sep}`),
  )
  if (own === undefined) return
  throw new KubesyncError('HOLDS_OWN_FILES', `${local} holds kubesync's own files (${own})`, {
    hint: 'sync another folder, or move them with KUBESYNC_HOME',
  })
}
