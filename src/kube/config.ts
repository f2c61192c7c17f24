import type { OutgoingHttpHeaders } from 'node:http'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { KubesyncError } from '../errors.ts'
import { type AuthSource, buildAuth, type Credentials } from './auth.ts'
import { inClusterConfig } from './in-cluster.ts'
import {
  clusterEntry,
  contextEntry,
  type Kubeconfig,
  mergeKubeconfigs,
  readKubeconfig,
  type UserEntry,
  userEntry,
} from './kubeconfig.ts'

/** Which kubeconfig, and what of it: the words of kubectl's flags. */
export interface ContextOptions {
  /** Path of one file, which must exist; wins over `KUBECONFIG`. */
  readonly kubeconfig?: string | undefined
  /** Name of a context, instead of the current one. */
  readonly context?: string | undefined
  /** Instead of the context's own namespace. */
  readonly namespace?: string | undefined
  /** Where `KUBECONFIG`, `HOME`, proxies and the in-cluster variables are looked up. */
  readonly env?: NodeJS.ProcessEnv | undefined
  /** Without any credentials: no plugin is run, and nobody is asked to log in. */
  readonly anonymous?: true
}

/** A cluster, who we are there, and the namespace meant when none is said. */
export interface KubeContext {
  readonly name: string
  readonly cluster: string
  /** URL of the API server, without a trailing slash. */
  readonly server: string
  readonly namespace: string
  /** Name of the user entry, `''` if the context has none. */
  readonly user: string
  /** Knows how to authenticate; everything else is read from here. */
  readonly config: Credentials
  /** Sent with every request: who to act as. */
  readonly headers: OutgoingHttpHeaders
  /** Makes the next request fetch its credentials anew: what was cached was refused. */
  forgetCredentials(): void
}

/** A context as a list of them shows it. */
export interface ContextSummary {
  readonly name: string
  readonly cluster: string
  readonly user: string
  readonly namespace: string
  /** The one that is meant when none is said. */
  readonly current: boolean
}

/**
 * Finds a context by kubectl's rules: `kubeconfig`, else the files of `KUBECONFIG` merged (the first to say a thing
 * wins, missing ones are skipped), else `~/.kube/config`, else the service account of the pod we run in.
 *
 * @throws KubesyncError `KUBECONFIG_NOT_FOUND`, `KUBECONFIG_INVALID`, `NO_CONTEXT`, `NO_SUCH_CONTEXT`.
 */
export async function loadContext(options: ContextOptions = {}): Promise<KubeContext> {
  const env = options.env ?? process.env
  const { config, files } = await load(options, env)
  const name = options.context || config.currentContext
  if (name === undefined) throw noContext(config, files)
  const found = contextEntry(config, name)
  if (found === undefined) throw noSuchContext(name, config, files)
  const cluster = clusterEntry(config, found.cluster)
  if (cluster === undefined) throw dangling(name, 'cluster', found.cluster)
  const user = options.anonymous ? { userName: '', user: undefined } : userOf(config, name, found.user)
  const source = { name, clusterName: found.cluster, cluster, ...user, env }
  return contextFrom(source, options.namespace || found.namespace || 'default')
}

/** The contexts that `loadContext` could find with the same options. */
export async function listContexts(options: Omit<ContextOptions, 'context'> = {}): Promise<ContextSummary[]> {
  const { config } = await load(options, options.env ?? process.env)
  return [...config.contexts.keys()].sort().map((name) => {
    const entry = contextEntry(config, name)
    return {
      name,
      cluster: entry?.cluster ?? '',
      user: entry?.user ?? '',
      namespace: entry?.namespace || 'default',
      current: name === config.currentContext,
    }
  })
}

async function contextFrom(source: AuthSource, namespace: string): Promise<KubeContext> {
  const auth = await buildAuth(source)
  return {
    name: source.name,
    cluster: source.clusterName,
    server: source.cluster.server.replace(/\/+$/, ''),
    namespace,
    user: source.userName,
    config: auth.config,
    headers: auth.headers,
    forgetCredentials: auth.forget,
  }
}

interface Loaded {
  readonly config: Kubeconfig
  /** The files that were looked for. */
  readonly files: readonly string[]
}

async function load(options: ContextOptions, env: NodeJS.ProcessEnv): Promise<Loaded> {
  if (options.kubeconfig) {
    const config = await readKubeconfig(options.kubeconfig)
    if (config === undefined) throw notFound(options.kubeconfig)
    return { config, files: [options.kubeconfig] }
  }
  const files = defaultFiles(env)
  const read = await Promise.all(files.map(readKubeconfig))
  const config = mergeKubeconfigs(read.filter((one) => one !== undefined))
  const empty = config.contexts.size === 0 && config.clusters.size === 0
  return { config: (empty ? await inClusterConfig(env) : undefined) ?? config, files }
}

function defaultFiles(env: NodeJS.ProcessEnv): string[] {
  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '')
  return listed.length > 0 ? [...new Set(listed)] : [join(env.HOME || homedir(), '.kube', 'config')]
}

function userOf(
  config: Kubeconfig,
  context: string,
  name: string | null | undefined,
): { userName: string; user: UserEntry | undefined } {
  if (!name) return { userName: '', user: undefined }
  const user = userEntry(config, name)
  if (user === undefined) throw dangling(context, 'user', name)
  return { userName: name, user }
}

function notFound(path: string): KubesyncError {
  return new KubesyncError('KUBECONFIG_NOT_FOUND', `There is no kubeconfig at ${path}.`, {
    hint: 'Check the path given to --kubeconfig.',
  })
}

function noContext(config: Kubeconfig, files: readonly string[]): KubesyncError {
  if (config.contexts.size === 0) {
    return new KubesyncError('NO_CONTEXT', `There is no context in ${files.join(', ')}.`, {
      hint: 'Name a kubeconfig with --kubeconfig or KUBECONFIG.',
    })
  }
  return new KubesyncError('NO_CONTEXT', `No current context is set in ${files.join(', ')}.`, {
    hint: `Name one with --context (${namesOf(config)}), or run \`kubectl config use-context NAME\`.`,
  })
}

function noSuchContext(name: string, config: Kubeconfig, files: readonly string[]): KubesyncError {
  const there = config.contexts.size === 0 ? 'There are none.' : `There are: ${namesOf(config)}.`
  return new KubesyncError('NO_SUCH_CONTEXT', `There is no context "${name}" in ${files.join(', ')}.`, {
    hint: there,
  })
}

function namesOf(config: Kubeconfig): string {
  return [...config.contexts.keys()].sort().join(', ')
}

function dangling(context: string, what: 'cluster' | 'user', name: string): KubesyncError {
  return new KubesyncError(
    'KUBECONFIG_INVALID',
    `Context "${context}" names the ${what} "${name}", which no kubeconfig has.`,
    { hint: `Run \`kubectl config get-contexts ${context}\`, and correct the context.` },
  )
}
