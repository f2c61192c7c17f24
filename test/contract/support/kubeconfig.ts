import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import { at, list, text } from './json.ts'

/** Where the server is, and with what one comes in. */
export interface Access {
  readonly server: string
  readonly ca: Buffer | undefined
  readonly cert: Buffer | undefined
  readonly key: Buffer | undefined
  readonly token: string | undefined
  readonly rejectUnauthorized: boolean
}

/** Reads the current context of a kubeconfig: authorities, client certificates and tokens, as data or as files. */
export function readKubeconfig(path: string): Access {
  const config: unknown = parse(readFileSync(path, 'utf8'))
  const context = at(named(config, 'contexts', text(config, 'current-context')), 'context')
  const cluster = at(named(config, 'clusters', text(context, 'cluster')), 'cluster')
  const user = at(named(config, 'users', text(context, 'user')), 'user')
  const bytes = (from: unknown, field: string) => {
    const data = at(from, `${field}-data`)
    if (typeof data === 'string') return Buffer.from(data, 'base64')
    const file = at(from, field)
    return typeof file === 'string' ? readFileSync(resolve(dirname(path), file)) : undefined
  }
  const token = at(user, 'token')
  return {
    server: text(cluster, 'server').replace(/\/$/, ''),
    ca: bytes(cluster, 'certificate-authority'),
    cert: bytes(user, 'client-certificate'),
    key: bytes(user, 'client-key'),
    token: typeof token === 'string' ? token : bytes(user, 'tokenFile')?.toString().trim(),
    rejectUnauthorized: at(cluster, 'insecure-skip-tls-verify') !== true,
  }
}

function named(config: unknown, field: string, name: string): unknown {
  const found = list(config, field).find((entry) => at(entry, 'name') === name)
  if (found === undefined) throw new Error(`the kubeconfig has no ${name} in ${field}`)
  return found
}
