import { Agent, type OutgoingHttpHeaders } from 'node:http'
import { Agent as HttpsAgent, type RequestOptions } from 'node:https'
import { createSecureContext, type SecureContext } from 'node:tls'
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

export interface TlsOptions {
  /** Certificates and keys. */
  readonly secureContext: SecureContext
  readonly servername?: string
  readonly rejectUnauthorized?: boolean
}

export interface Connector {
  connection(): Promise<Connection>
  /** That connection's credentials were refused: the next one has others, if there are others. */
  refresh(refused: Connection): void
  /** Ends requests under way, and idle connections. */
  close(): void
}

/** Of long connections: the kernel notices within some 25 s that the other end is gone. */
export const KEEPALIVE_MS = 15_000

/** Token files are read again, and certificates too, at least that often. */
const CREDENTIALS_MS = 60_000
/** Idle connections are not kept longer: after that a firewall may have forgotten them. */
const IDLE_MS = 15_000

/** Reads the credentials of a context, and keeps them and their connections for a while. */
export function connector(context: KubeContext): Connector {
  let kept: { connection: Promise<Connection>; until: number } | undefined
  let current: Connection | undefined
  let last: { agent: HttpsAgent | undefined; tls: TlsOptions; secrets: string } | undefined

  const build = async (): Promise<Connection> => {
    const options = await readCredentials(context)
    const secrets = [options.ca, options.cert, options.key].join()
    const isProxied = context.config.cluster.proxyUrl !== undefined
    const proxy = isProxied && options.agent instanceof Agent ? options.agent : undefined
    if (last?.secrets !== secrets) {
      const tls = tlsOf(context, options)
      const isDirect = proxy === undefined && context.server.startsWith('https:')
      last = {
        agent: isDirect ? new HttpsAgent({ ...tls, keepAlive: true, timeout: IDLE_MS }) : undefined,
        tls,
        secrets,
      }
    }
    const headers = { ...options.headers, ...context.headers }
    current = { headers, tls: last.tls, proxy, agent: proxy ?? last.agent }
    return current
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
    refresh: (refused) => {
      // Of many requests that were refused together, the first fetches anew for all.
      if (refused !== current) return
      current = undefined
      kept = undefined
      context.forgetCredentials()
    },
    close: () => last?.agent?.destroy(),
  }
}

async function readCredentials(context: KubeContext) {
  // client-node writes into what it is given.
  const headers: OutgoingHttpHeaders = {}
  const options: RequestOptions = {}
  try {
    await context.config.applyToHTTPSOptions(Object.assign(options, { headers }))
  } catch (error) {
    throw unusable(context, error)
  }
  if (typeof options.auth === 'string') {
    headers.Authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`
  }
  return { ...options, headers }
}

function tlsOf(context: KubeContext, options: RequestOptions): TlsOptions {
  const { ca, cert, key, servername, rejectUnauthorized } = options
  try {
    return {
      secureContext: createSecureContext({ ca, cert, key }),
      ...(servername === undefined ? {} : { servername }),
      ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    }
  } catch (error) {
    throw unusable(context, error)
  }
}

function unusable(context: KubeContext, error: unknown): KubesyncError {
  if (error instanceof KubesyncError) return error
  return new KubesyncError(
    'KUBECONFIG_INVALID',
    `The credentials of context "${context.name}" cannot be used: ${messageOf(error)}`,
    {
      hint: `Check the user "${context.user}" and the cluster "${context.cluster}" in the kubeconfig.`,
      cause: error,
    },
  )
}
