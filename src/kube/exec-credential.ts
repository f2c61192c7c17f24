import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import * as v from 'valibot'
import { errnoOf, KubesyncError, messageOf } from '../errors.ts'
import type { ClusterEntry, ExecEntry } from './kubeconfig.ts'

/** What proves who we are: a bearer token, or a client certificate (PEM). */
interface Credential {
  readonly token?: string | undefined
  readonly certificate?: string | undefined
  readonly key?: string | undefined
}

export interface ExecCredentials {
  /** The credential to use now. */
  current(): Promise<Credential>
  /** It was refused: the next `current` fetches another. */
  forget(): void
}

/** A plugin that asks somebody something never answers here; this is long enough for one that goes through a network. */
const PLUGIN_LIMIT_MS = 60_000

const text = v.optional(v.string())
const answerSchema = v.looseObject({
  kind: v.literal('ExecCredential'),
  status: v.looseObject({
    token: text,
    clientCertificateData: text,
    clientKeyData: text,
    expirationTimestamp: text,
  }),
})

/**
 * Credentials from a plugin, by the protocol of `client.authentication.k8s.io`: a command that prints an
 * ExecCredential. Kept until they expire or are refused. The plugin is never interactive.
 */
export function execCredentials(
  plugin: ExecEntry,
  about: { readonly userName: string; readonly cluster: ClusterEntry },
): ExecCredentials {
  let pending: Promise<{ credential: Credential; expires: number }> | undefined
  const fetchAnew = () => {
    const started = run(plugin, about)
    pending = started
    // A failure is not kept: the next request tries again.
    started.catch(() => {
      if (pending === started) pending = undefined
    })
    return started
  }
  return {
    current: async () => {
      const kept = await (pending ?? fetchAnew())
      return (kept.expires > Date.now() ? kept : await fetchAnew()).credential
    },
    forget: () => {
      pending = undefined
    },
  }
}

async function run(
  plugin: ExecEntry,
  about: { readonly userName: string; readonly cluster: ClusterEntry },
): Promise<{ credential: Credential; expires: number }> {
  const output = await runCommand(plugin, about)
  const status = parseAnswer(plugin, about.userName, output)
  const expires = Date.parse(status.expirationTimestamp ?? '')
  return {
    credential: {
      token: status.token,
      certificate: status.clientCertificateData,
      key: status.clientKeyData,
    },
    expires: Number.isNaN(expires) ? Number.POSITIVE_INFINITY : expires,
  }
}

async function runCommand(
  plugin: ExecEntry,
  about: { readonly userName: string; readonly cluster: ClusterEntry },
): Promise<string> {
  const options = {
    env: await environment(plugin, about.cluster),
    timeout: PLUGIN_LIMIT_MS,
    killSignal: 'SIGKILL' as const,
    maxBuffer: 4 << 20,
    windowsHide: true,
  }
  return new Promise((resolve, reject) => {
    const child = execFile(plugin.command, plugin.args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(pluginFailed(plugin, about.userName, { error, stderr }))
    })
    child.stdin?.end()
  })
}

async function environment(plugin: ExecEntry, cluster: ClusterEntry): Promise<NodeJS.ProcessEnv> {
  const info = {
    apiVersion: plugin.apiVersion,
    kind: 'ExecCredential',
    spec: {
      interactive: false,
      ...(plugin.provideClusterInfo === true ? { cluster: await clusterInfo(cluster) } : {}),
    },
  }
  const own = Object.fromEntries(plugin.env.map(({ name, value }) => [name, value]))
  return { ...process.env, ...own, KUBERNETES_EXEC_INFO: JSON.stringify(info) }
}

async function clusterInfo(cluster: ClusterEntry): Promise<object> {
  const file = cluster['certificate-authority']
  return {
    server: cluster.server,
    'tls-server-name': cluster['tls-server-name'] ?? undefined,
    'insecure-skip-tls-verify': cluster['insecure-skip-tls-verify'] ?? undefined,
    'certificate-authority-data':
      cluster['certificate-authority-data'] ?? (file ? await readFile(file, 'base64') : undefined),
    'proxy-url': cluster['proxy-url'] ?? undefined,
  }
}

function parseAnswer(plugin: ExecEntry, userName: string, output: string) {
  try {
    return v.parse(answerSchema, JSON.parse(output)).status
  } catch (error) {
    throw new KubesyncError(
      'UNAUTHORIZED',
      `The credential plugin ${plugin.command} of user "${userName}" did not print an ExecCredential: ${messageOf(error)}`,
      { hint: tryByHand(plugin) },
    )
  }
}

function pluginFailed(
  plugin: ExecEntry,
  userName: string,
  { error, stderr }: { error: Error & { killed?: boolean }; stderr: string },
): KubesyncError {
  const subject = `The credential plugin ${plugin.command} of user "${userName}"`
  if (errnoOf(error) === 'ENOENT') {
    return new KubesyncError('UNAUTHORIZED', `${subject} is not installed.`, {
      hint: plugin.installHint || `Install ${plugin.command}, or use a context that does not need it.`,
    })
  }
  const said = stderr.trim() || messageOf(error).trim()
  const what =
    error.killed === true ? `did not end within ${PLUGIN_LIMIT_MS / 1000} s: ${said}` : `failed: ${said}`
  return new KubesyncError('UNAUTHORIZED', `${subject} ${what}`, { hint: tryByHand(plugin) })
}

function tryByHand(plugin: ExecEntry): string {
  return `Log in by running it once by hand: ${[plugin.command, ...plugin.args].join(' ')}`
}
