import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { JsonObject } from '../object.ts'
import { Store } from '../store.ts'
import { podOf } from './pod-spec.ts'
import { mount, unmount } from './volumes.ts'

let directory: string
const store = new Store()
store.put('configmaps', {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings', namespace: 'default' },
  data: { colour: 'blue', size: 'large' },
})
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubesync-volumes-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function mounting(attempt: string, volumes: readonly JsonObject[], volumeMounts: readonly object[]) {
  const metadata = { name: 'web', namespace: 'default', uid: 'u' }
  const pod = podOf({ apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [], volumes } })
  const root = join(directory, attempt)
  mkdirSync(root)
  const container = { name: 'app', volumeMounts: [...volumeMounts] as [] }
  return { pod, container, store, directory, root, token: 'the token' }
}

const data = { name: 'data', emptyDir: {} }
const inner = { name: 'inner', emptyDir: {} }
const mounts = [
  { name: 'inner', mountPath: '/srv/data/inner' },
  { name: 'data', mountPath: '/srv/data' },
]

test('volumes move from one attempt to the next with what is in them, one in another too', () => {
  const first = mounting('first', [data, inner], mounts)
  expect(mount(first).map(({ volume }) => volume)).toEqual(['data', 'inner'])
  writeFileSync(join(first.root, 'srv/data/inner/file'), 'kept')
  unmount(first)
  expect(existsSync(join(first.root, 'srv/data'))).toBe(false)
  const second = mounting('second', [data, inner], mounts)
  mount(second)
  expect(readFileSync(join(second.root, 'srv/data/inner/file'), 'utf8')).toBe('kept')
})

test('a config map is written anew each time, with the files and modes asked for', () => {
  const items = [{ key: 'colour', path: 'sub/colour', mode: 0o600 }]
  const volume = { name: 'data', configMap: { name: 'settings', items } }
  const at = [{ name: 'data', mountPath: '/etc/app' }]
  const first = mounting('first', [volume], at)
  mount(first)
  writeFileSync(join(first.root, 'etc/app/sub/colour'), 'changed')
  unmount(first)
  const second = mounting('second', [volume], at)
  mount(second)
  expect(readFileSync(join(second.root, 'etc/app/sub/colour'), 'utf8')).toBe('blue')
  expect(statSync(join(second.root, 'etc/app/sub/colour')).mode & 0o777).toBe(0o600)
  expect(existsSync(join(second.root, 'etc/app/size'))).toBe(false)
})

test('what is missing is said, and leaves an emptyDir where it was', () => {
  const missing = { name: 'settings', configMap: { name: 'missing' } }
  const at = [mounts[1] ?? {}, { name: 'settings', mountPath: '/srv/data/settings' }]
  const first = mounting('first', [data], [mounts[1] ?? {}])
  mount(first)
  writeFileSync(join(first.root, 'srv/data/file'), 'kept')
  unmount(first)
  const second = mounting('second', [data, missing], at)
  expect(() => mount(second)).toThrow('configmap "missing" not found')
  unmount(second)
  mount(mounting('third', [data], [mounts[1] ?? {}]))
  expect(readFileSync(join(directory, 'third/srv/data/file'), 'utf8')).toBe('kept')
})

test('a projected volume has the token of its service account beside what else it is made of', () => {
  const sources = [
    { serviceAccountToken: { path: 'token' } },
    { configMap: { name: 'settings', items: [{ key: 'colour', path: 'ca.crt' }] } },
  ]
  const first = mounting(
    'first',
    [{ name: 'account', projected: { sources } }],
    [{ name: 'account', mountPath: '/account' }],
  )
  mount(first)
  const files = ['token', 'ca.crt'].map((name) => readFileSync(join(first.root, 'account', name), 'utf8'))
  expect(files).toEqual(['the token', 'blue'])
})
