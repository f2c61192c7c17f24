import { writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'

/** The name of cluster, user and context in the kubeconfig. */
export const contextName = 'kubesync-sandbox'

export interface Access {
  readonly server: string
  /** PEM */
  readonly ca: string
  readonly token: string
}

/** Writes a kubeconfig that only this user may read: whoever has the token may run programs here. */
export async function writeKubeconfig(path: string, { server, ca, token }: Access): Promise<void> {
  const name = contextName
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [
      { name, cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } },
    ],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: 'default' } }],
  }
  await writeFile(path, stringify(config, { lineWidth: 0 }), { mode: 0o600 })
}
