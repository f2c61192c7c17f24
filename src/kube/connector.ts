import type { Agent, OutgoingHttpHeaders } from 'node:http'
import { Agent as HttpsAgent, type RequestOptions } from 'node:https'
import type { SecureContextOptions } from 'node:tls'
import { KubesyncError, messageOf } from '../errors.ts'
import type { KubeContext } from './config.ts'

/** What a request or a WebSocket needs to be let in. */
export interface Connection {
  /** Headers that say who we are. */
  readonly headers: OutgoingHttpHeaders
  readonly tls: TlsOptions
  /** A proxy's agent, which must be used; undefined when the server is reached directly. */
  readonly proxy: Agent | undefined
  /** Keeps connections alive; only when there is no proxy and the server speaks TLS. */
  readonly agent: Agent | undefined
}

export interface TlsOptions extends Pick<SecureContextOptions, 'ca' | 'cert' | 'key'> {
  readonly servername?: string
  readonly rejectUnauthorized?: boolean
}

export interface Connector {
  connection(): Promise<Connection>
  /** The credentials were refused: the next `connection` has others, if there are others. */
  refresh(): void
  close(): void
}

/** Token files are read again, and certificates too, at least that often. */
const CREDENTIALS_MS = 60_000
/** Idle connections are not kept longer: after that a firewall may have forgotten them. */
const IDLE_MS = 15_000

/** Reads the credentials of a context, and keeps them and their connections for a while. */
export function connector(context: KubeContext): Connector {
  let kept: { connection: Promise<Connection>; until: number } | undefined
  let agent: { agent: HttpsAgent; tls: TlsOptions } | undefined

  const build = async (): Promise<Connection> => {
    // client-node writes into the headers it is given.
    const headers: OutgoingHttpHeaders = {}
    const options: RequestOptions = { headers }
    await applyAuth(context, options)
    if (typeof options.auth === 'string')
      headers.Authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`
    const tls = tlsOf(options)
    const proxied = context.config.getCurrentCluster()?.proxyUrl !== undefined
    const proxy = proxied && options.agent instanceof Object ? (options.agent as Agent) : undefined
    if (agent !== undefined && !sameTls(agent.tls, tls)) {
      agent.agent.destroy()
      agent = undefined
    }
    if (proxy === undefined && context.server.startsWith('https:')) {
      agent ??= { agent: new HttpsAgent({ ...tls, keepAlive: true, timeout: IDLE_MS }), tls }
    }
    return { headers, tls, proxy, agent: proxy ?? agent?.agent }
  }

  return {
    connection: () => {
      if (kept === undefined || kept.until < Date.now()) {
        const started = build()
        kept = { connection: started, until: Date.now() + CREDENTIALS_MS }
        started.catch(() => {
          if (kept?.connection === started) kept = undefined
        })
      }
      return kept.connection
    },
    refresh: () => {
      kept = undefined
      context.forgetCredentials()
    },
    close: () => agent?.agent.destroy(),
  }
}

async function applyAuth(context: KubeContext, options: RequestOptions): Promise<void> {
  try {
    await context.config.applyToHTTPSOptions(options)
  } catch (error) {
    if (error instanceof KubesyncError) throw error
    throw new KubesyncError(
      'KUBECONFIG_INVALID',
      `The credentials of context "${context.name}" cannot be used: ${messageOf(error)}`,
      {
        hint: `Check the user "${context.user}" and the cluster "${context.cluster}" in the kubeconfig.`,
        cause: error,
      },
    )
  }
}

function tlsOf(options: RequestOptions): TlsOptions {
  return {
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    ...(options.cert === undefined ? {} : { cert: options.cert }),
    ...(options.key === undefined ? {} : { key: options.key }),
    ...(options.servername === undefined ? {} : { servername: options.servername }),
    ...(options.rejectUnauthorized === undefined ? {} : { rejectUnauthorized: options.rejectUnauthorized }),
  }
}

function sameTls(a: TlsOptions, b: TlsOptions): boolean {
  return String(a.ca) === String(b.ca) && String(a.cert) === String(b.cert) && String(a.key) === String(b.key)
}
