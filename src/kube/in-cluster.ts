import { readFile } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import type { Kubeconfig } from './kubeconfig.ts'

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'
const NAME = 'in-cluster'

/** The configuration of a process in a pod: its service account. Undefined outside of one. */
export async function inClusterConfig(
  env: NodeJS.ProcessEnv,
  directory: string = SERVICE_ACCOUNT,
): Promise<Kubeconfig | undefined> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env
  if (!host || !port) return undefined
  const tokenFile = join(directory, 'token')
  if ((await readOptional(tokenFile)) === undefined) return undefined
  const namespace = (await readOptional(join(directory, 'namespace')))?.trim()
  const entry = (value: unknown) => new Map([[NAME, { file: tokenFile, value }]])
  return {
    currentContext: NAME,
    clusters: entry({
      server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
      'certificate-authority': join(directory, 'ca.crt'),
    }),
    contexts: entry({ cluster: NAME, user: NAME, namespace }),
    users: entry({ tokenFile }),
  }
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    return undefined
  }
}
