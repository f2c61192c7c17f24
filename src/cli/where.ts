import { relative } from 'node:path'
import { type KeyName, keyOf } from '../config/keys.ts'
import { atHome, kubeEnv, rawSetting, type SettingSource, setting } from '../config/settings.ts'
import { loadConfig } from '../config/store.ts'
import { KubesyncError } from '../errors.ts'
import { type KubeContext, loadContext } from '../kube/config.ts'
import type { Pin } from '../manifests/folder/pin.ts'
import type { Cli } from './io.ts'
import type { ConfigOptions, KubeOptions } from './options.ts'
import { pathsOf } from './paths.ts'

/** What a command may be told about where it works. */
export type Which = {
  readonly [Name in keyof (KubeOptions & ConfigOptions)]?: (KubeOptions & ConfigOptions)[Name] | undefined
}

/** The cluster and namespace that hold, and who says so. */
export interface Where {
  readonly context: KubeContext
  readonly said: Readonly<Record<'kubeconfig' | 'kubeconfigFrom' | 'context' | 'namespace', string>>
}

/** What is configured, and the environment of this command line. */
export async function settingsOf(cli: Cli, { config }: Which): Promise<SettingSource> {
  const paths = pathsOf(cli, config === undefined ? {} : { config })
  return { settings: (await loadConfig(paths.config)).settings, env: cli.io.env }
}

/**
 * Where a command works: what a flag says, else the folder's pin, else kubesync's own setting, else the kubeconfig. A namespace that
 * was set is that of its context, and of no other.
 */
export async function findWhere(cli: Cli, which: Which, pin: Pin = {}): Promise<Where> {
  const source = await settingsOf(cli, which)
  const set = rawSetting('context', source)
  const { kubeconfig } = which
  const [name, saysContext] = firstOf([
    [which.context, '--context'],
    [pin.context, "the folder's pin"],
    [typeof set.value === 'string' ? set.value : undefined, describeSource('context', set.source)],
    [undefined, 'kubeconfig'],
  ])
  const context = await loadContext({ kubeconfig, context: name, env: kubeEnv(source) }).catch(
    (error: unknown) => {
      if (!(error instanceof KubesyncError) || error.code !== 'NO_SUCH_CONTEXT' || which.context) throw error
      const hint = `${saysContext} names it; \`${cli.name} env context NAME\` or --context names another. ${error.hint ?? ''}`
      throw new KubesyncError(error.code, error.message, { hint, cause: error })
    },
  )
  const namespaces = setting('namespaces', source)
  const [namespace, saysNamespace] = firstOf([
    [which.namespace, '--namespace'],
    [pin.namespace, "the folder's pin"],
    [namespaces[context.name], describeSource('namespaces', 'file')],
    [context.namespace, 'kubeconfig'],
  ])
  const file = rawSetting('kubeconfig', source)
  const saysFile = kubeconfig === undefined ? describeSource('kubeconfig', file.source) : '--kubeconfig'
  const path = kubeconfig ?? (typeof file.value === 'string' ? file.value : '~/.kube/config')
  return {
    context: { ...context, namespace: namespace ?? context.namespace },
    said: { kubeconfig: path, kubeconfigFrom: saysFile, context: saysContext, namespace: saysNamespace },
  }
}

/** The folder of manifests that a command means. */
export interface FolderFound {
  /** Absolute. */
  readonly root: string
  readonly pin: Pin
  readonly isPinned: boolean
  /** Whether it is another one than that in which the command was given. */
  readonly isElsewhere: boolean
}

/** The nearest pinned folder, else the one that is configured, else that in which the command was given. */
export async function findFolder({ io }: Cli, settings: SettingSource): Promise<FolderFound> {
  const { findPin } = await import('../manifests/folder/pin.ts')
  const found = await findPin(io.cwd)
  const configured = setting('root', settings)
  if (found.isPinned || configured === undefined) return { ...found, isElsewhere: false }
  const root = atHome(configured, io.env)
  const isElsewhere = relative(root, io.cwd).startsWith('..')
  return { ...found, root, isElsewhere }
}

/** Who says what a key is, in the words of `env show`. */
export function describeSource(name: KeyName, source: 'default' | 'file' | 'environment'): string {
  if (source === 'environment') return `$${keyOf(name).env}`
  return source === 'file' ? "kubesync's setting" : 'default'
}

type Candidate = readonly [value: string | undefined, says: string]

function firstOf(candidates: readonly Candidate[]): Candidate {
  return candidates.find(([value]) => value) ?? candidates.at(-1) ?? [undefined, '']
}
