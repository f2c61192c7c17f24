import { readFile } from 'node:fs/promises'
import type { OutgoingHttpHeaders } from 'node:http'
import type { RequestOptions } from 'node:https'
import type { Cluster, User } from '@kubernetes/client-node'
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

/** What it takes to reach a server and be let in. */
export interface Credentials {
  readonly cluster: Cluster
  readonly user: User
  /** Puts certificates, keys and headers into options, as they are now. */
  applyToHTTPSOptions(options: RequestOptions & { headers: OutgoingHttpHeaders }): Promise<void>
}

interface Auth {
  readonly config: Credentials
  /** Of every request: who to act as. */
  readonly headers: OutgoingHttpHeaders
  readonly forget: () => void
}

const OWN_PROVIDER = 'kubesync'

/**
 * The credentials of one context. Certificates, tokens, token files and exec plugins are our own: client-node's run a plugin
 * that names no expiry once a request, lose what it wrote to stderr, and cannot be told to fetch anew. What else there is, and proxies,
 * are client-node's, which takes longer to load than most commands to do their work.
 */
export async function buildAuth(source: AuthSource): Promise<Auth> {
  const [cluster, user, credentials] = [clusterOf(source), userOf(source), ownCredentials(source)]
  const isPlain =
    cluster.proxyUrl === undefined && [undefined, OWN_PROVIDER].includes(user.authProvider?.name)
  const config = isPlain
    ? plain(cluster, user, credentials)
    : await clientNodes({ source, cluster, user, credentials })
  return { config, headers: impersonation(source.user), forget: () => credentials?.forget() }
}

function plain(cluster: Cluster, user: User, credentials: ExecCredentials | undefined): Credentials {
  return {
    cluster,
    user,
    async applyToHTTPSOptions(options) {
      const [ca, cert, key] = await Promise.all([
        contentOf(cluster.caFile, cluster.caData),
        contentOf(user.certFile, user.certData),
        contentOf(user.keyFile, user.keyData),
      ])
      Object.assign(options, { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) })
      if (cluster.skipTLSVerify) options.rejectUnauthorized = false
      if (cluster.tlsServerName) options.servername = cluster.tlsServerName
      if (user.username) options.auth = `${user.username}:${user.password}`
      await applyOwn(credentials, options)
      if (user.token) options.headers.Authorization = `Bearer ${user.token}`
    },
  }
}

async function contentOf(file: string | undefined, base64: string | undefined): Promise<Buffer | undefined> {
  if (file) return readFile(file)
  return base64 ? Buffer.from(base64, 'base64') : undefined
}

interface Parts {
  readonly source: AuthSource
  readonly cluster: Cluster
  readonly user: User
  readonly credentials: ExecCredentials | undefined
}

async function clientNodes({ source, cluster, user, credentials }: Parts): Promise<Credentials> {
  // The file, not the package: it loads in half the time and memory.
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js')
  const config = new KubeConfig()
  config.loadFromOptions({
    clusters: [cluster],
    users: [user],
    contexts: [{ name: source.name, cluster: source.clusterName, user: source.userName }],
    currentContext: source.name,
  })
  config.addAuthenticator({
    isAuthProvider: ({ authProvider }) => authProvider?.name === OWN_PROVIDER,
    applyAuthentication: (_user, options) => applyOwn(credentials, options as RequestOptions),
  })
  return {
    cluster,
    user,
    applyToHTTPSOptions: (options) => config.applyToHTTPSOptions(options),
  }
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
