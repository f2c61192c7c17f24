import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { kubeEnv } from '../../../config/settings.ts'
import { listContexts } from '../../../kube/config.ts'
import type { Cli } from '../../io.ts'
import type { ConfigOptions, KubeconfigOptions } from '../../options.ts'
import { usageError } from '../../values.ts'
import { settingsOf } from '../../where.ts'

/** A place in a cluster; without a namespace, that of the context. */
export interface ClusterPlace {
  readonly context: string
  readonly namespace?: string
}

export interface FolderPlace {
  /** Absolute. */
  readonly folder: string
}

/** What a word on the command line means. Names of contexts may have slashes in them, and may be names of folders, too: `./prod` is always one. */
export async function placeCalled(
  cli: Cli,
  word: string,
  options: KubeconfigOptions & ConfigOptions,
): Promise<ClusterPlace | FolderPlace> {
  const folder = resolve(cli.io.cwd, word)
  const found = await stat(folder).catch(() => undefined)
  const isFolder = found?.isDirectory() === true
  if (isFolder && /^[./]/.test(word)) return { folder }
  const env = kubeEnv(await settingsOf(cli, options))
  const contexts = await listContexts({ kubeconfig: options.kubeconfig, env }).catch((error: unknown) => {
    if (isFolder) return []
    throw error
  })
  const names = contexts.map(({ name }) => name)
  if (names.includes(word)) return { context: word }
  const slash = word.lastIndexOf('/')
  const [context, namespace] = [word.slice(0, slash), word.slice(slash + 1)]
  if (slash > 0 && names.includes(context) && namespace !== '') return { context, namespace }
  if (isFolder) return { folder }
  throw usageError(`\`${word}\` is neither a context nor a folder`, `contexts are ${names.join(', ')}`)
}
