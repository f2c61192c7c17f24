import { describe, expect, test } from 'vitest'
import { findPaths } from './paths.ts'

const home = { KUBESYNC_HOME: '/home/me/.kubesync' }

describe('findPaths', () => {
  test('everything is below the home of kubesync', () => {
    const paths = findPaths({ env: home })
    expect(paths.config).toBe('/home/me/.kubesync/config')
    for (const path of Object.values(paths)) expect(path).toMatch(/^\/home\/me\/\.kubesync\//)
  })

  test('--config comes before KUBESYNC_CONFIG, and that before the home', () => {
    const env = { ...home, KUBESYNC_CONFIG: '/etc/sync.yaml' }
    expect(findPaths({ env }).config).toBe('/etc/sync.yaml')
    expect(findPaths({ env, config: '/other.yaml' }).config).toBe('/other.yaml')
  })

  test('two configurations have two sockets, one has one however it is written', () => {
    const socket = (config: string) => findPaths({ env: home, config }).socket
    expect(socket('/a')).not.toBe(socket('/b'))
    expect(socket('/x/../a')).toBe(socket('/a'))
  })

  test('a socket fits the limit of the system however long the home is', () => {
    const env = { KUBESYNC_HOME: `/home/${'deep/'.repeat(40)}` }
    const { socket, lock } = findPaths({ env })
    expect(Buffer.byteLength(socket)).toBeLessThanOrEqual(103)
    expect(lock).toContain('deep/deep')
  })
})
