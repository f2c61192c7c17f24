import { readFile } from 'node:fs/promises'
import type { OutgoingHttpHeaders } from 'node:http'
import type { RequestOptions } from 'node:https'
import type { Cluster, KubeConfig, User } from '@kubernetes/client-node'
import { KubesyncError, messageOf } from '../errors.ts'
import { type ExecCredentials, execCredentials } from './exec-credential.ts'
import type { ClusterEntry, UserEntry } from './kubeconfig.ts'
import { proxyFor } from './proxy.ts'

/** A context, taken apart into what authenticates it. */
export interface AuthSource {
  /** The context's name. */
  readonly name: string
  readonly clusterName: string
  readonly cluster: ClusterEntry
  readonly userName: string
  readonly user: UserEntry | undefined
  readonly env: NodeJS.ProcessEnv
}

interface Auth {
  readonly config: KubeConfig
  /** Of every request: who to act as. */
  readonly headers: OutgoingHttpHeaders
  readonly forget: () => void
}

const OWN_PROVIDER = 'kubesync'

/**
 * Makes client-node's configuration of one context. Token files and exec plugins are our own: client-node's run a
 * plugin that names no expiry once a request, lose what it wrote to stderr, and cannot be told to
 * fetch anew.
 */
export async function buildAuth(source: AuthSource): Promise<Auth> {
  // The file, not the package: it loads in half the time and memory.
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js')
  const config = new KubeConfig()
  config.loadFromOptions({
    clusters: [clusterOf(source)],
    users: [userOf(source)],
    contexts: [{ name: source.name, cluster: source.clusterName, user: source.userName }],
    currentContext: source.name,
  })
  const credentials = ownCredentials(source)
  config.addAuthenticator({
    isAuthProvider: (user) => user.authProvider?.name === OWN_PROVIDER,
    applyAuthentication: (_user, options) => applyOwn(credentials, options as RequestOptions),
  })
  return { config, headers: impersonation(source.user), forget: () => credentials?.forget() }
}

function clusterOf({ clusterName, cluster, env }: AuthSource): Cluster {
  const server = cluster.server.replace(/\/+$/, '')
  const proxyUrl = cluster['proxy-url'] || proxyFor(server, env)
  return {
    name: clusterName,
    server,
    // client-node refuses plain HTTP unless verification, which HTTP has none of, is off.
    skipTLSVerify: cluster['insecure-skip-tls-verify'] === true || server.startsWith('http:'),
    ...optional('caData', cluster['certificate-authority-data']),
    ...(cluster['certificate-authority-data'] ? {} : optional('caFile', cluster['certificate-authority'])),
    ...optional('tlsServerName', cluster['tls-server-name']),
    ...optional('proxyUrl', proxyUrl),
  }
}

function userOf({ userName, user }: AuthSource): User {
  const own = user?.tokenFile || (user?.exec && !user.token)
  return {
    name: userName,
    ...optional('certData', user?.['client-certificate-data']),
    ...(user?.['client-certificate-data'] ? {} : optional('certFile', user?.['client-certificate'])),
    ...optional('keyData', user?.['client-key-data']),
    ...(user?.['client-key-data'] ? {} : optional('keyFile', user?.['client-key'])),
    ...(user?.tokenFile ? {} : optional('token', user?.token)),
    ...optional('username', user?.username),
    ...optional('password', user?.password),
    ...(own ? { authProvider: { name: OWN_PROVIDER } } : optional('authProvider', user?.['auth-provider'])),
  }
}

/** https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation */
function impersonation(user: UserEntry | undefined): OutgoingHttpHeaders {
  const extra = Object.entries(user?.['as-user-extra'] ?? {})
  return {
    ...optional('Impersonate-User', user?.as),
    ...optional('Impersonate-Uid', user?.['as-uid']),
    ...(user?.['as-groups']?.length ? { 'Impersonate-Group': user['as-groups'] } : {}),
    ...Object.fromEntries(
      extra.map(([key, values]) => [`Impersonate-Extra-${encodeURIComponent(key)}`, values]),
    ),
  }
}

function optional<K extends string, T>(key: K, value: T | null | undefined | ''): { [k in K]?: T } {
  return value === null || value === undefined || value === '' ? {} : ({ [key]: value } as { [k in K]: T })
}

function ownCredentials({ user, userName, cluster }: AuthSource): ExecCredentials | undefined {
  if (user?.tokenFile) return tokenFileCredentials(user.tokenFile)
  return user?.exec ? execCredentials(user.exec, { userName, cluster }) : undefined
}

/** The file is read for every request that asks: tokens of pods are rotated under us. */
function tokenFileCredentials(path: string): ExecCredentials {
  return {
    current: async () => ({ token: (await readTokenFile(path)).trim() }),
    forget: () => undefined,
  }
}

async function readTokenFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new KubesyncError('UNAUTHORIZED', `The token file ${path} cannot be read: ${messageOf(error)}`, {
      hint: 'The kubeconfig names it as tokenFile of the user.',
    })
  }
}

async function applyOwn(credentials: ExecCredentials | undefined, options: RequestOptions): Promise<void> {
  const credential = await credentials?.current()
  if (credential?.certificate !== undefined) options.cert = credential.certificate
  if (credential?.key !== undefined) options.key = credential.key
  if (credential?.token !== undefined) {
    Object.assign(options.headers ?? {}, { Authorization: `Bearer ${credential.token}` })
  }
}
