import { isIP } from 'node:net'

/**
 * The proxy that the environment names for a server, by the rules of Go's `http.ProxyFromEnvironment`
 * that kubectl follows; never one for this machine itself.
 */
export function proxyFor(server: string, env: NodeJS.ProcessEnv): string | undefined {
  const { protocol, hostname, port } = new URL(server)
  const proxy = protocol === 'https:' ? variable(env, 'HTTPS_PROXY') : variable(env, 'HTTP_PROXY')
  const host = hostname.replace(/^\[|\]$/g, '')
  if (proxy === undefined || isLoopback(host)) return undefined
  const spared = (variable(env, 'NO_PROXY') ?? '').split(',').some((rule) => spares(rule.trim(), host, port))
  if (spared) return undefined
  return proxy.includes('://') ? proxy : `http://${proxy}`
}

function variable(env: NodeJS.ProcessEnv, name: string): string | undefined {
  return env[name] || env[name.toLowerCase()] || undefined
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

function spares(rule: string, host: string, port: string): boolean {
  if (rule === '') return false
  if (rule === '*') return true
  if (rule.includes('/')) return inNetwork(host, rule)
  const [, name = rule, rulePort] = /^(.*?)(?::(\d+))?$/.exec(rule) ?? []
  if (rulePort !== undefined && rulePort !== port) return false
  const suffix = name.replace(/^\*?\.?/, '.').toLowerCase()
  if (host.toLowerCase().endsWith(suffix)) return true
  return !name.startsWith('.') && !name.startsWith('*') && host.toLowerCase() === name.toLowerCase()
}

/** Only IPv4 networks: what people put there are their cluster's. */
function inNetwork(host: string, cidr: string): boolean {
  const [base = '', length = ''] = cidr.split('/')
  if (isIP(host) !== 4 || isIP(base) !== 4) return false
  const bits = Number(length)
  const mask = bits === 0 ? 0 : (-1 << (32 - bits)) >>> 0
  return (toNumber(host) & mask) >>> 0 === (toNumber(base) & mask) >>> 0
}

function toNumber(address: string): number {
  return address.split('.').reduce((number, byte) => number * 256 + Number(byte), 0)
}
