import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ReplicaInfo } from '../replica/replica.ts'
import { bindBase } from './bind.ts'
import type { BaseStore } from './store.ts'
import { openBaseStore } from './store.ts'

const info = (kind: ReplicaInfo['storage']['kind'], ino: number): ReplicaInfo => ({
  root: { dev: 1, ino },
  storage: { kind, id: 'id' },
  uid: 0,
  gid: 0,
  readOnly: undefined,
})
const local = info('local', 1)
const fresh = { container: 'one', local, remote: info('container', 2), isSuccessor: false }

let root: string
let store: BaseStore
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bind-'))
  store = openBaseStore(join(root, 'base'))
  bindBase(store, fresh)
  store.commit([['f', { kind: 'directory' }]])
})
afterEach(() => {
  store.close()
  rmSync(root, { recursive: true })
})

test('a base holds for the container and the folders it was made with', () => {
  bindBase(store, fresh)
  expect(store.tree.children?.size).toBe(1)
  expect(store.firstContact).toBe('merge')
})

test.each([
  ['another container', { container: 'two' }],
  ['another folder in the container', { remote: info('container', 3) }],
  ['another local folder', { local: info('local', 4) }],
  ['another volume', { remote: { ...fresh.remote, storage: { kind: 'volume', id: 'other' } as const } }],
])('it is dropped for %s', (_, change) => {
  bindBase(store, { ...fresh, ...change })
  expect(store.tree.children?.size).toBe(0)
  expect(store.firstContact).toBe('merge')
})

test.each([
  ['local', { local: { ...local, root: { dev: 0, ino: 0 } } }],
  ['remote', { remote: { ...fresh.remote, root: { dev: 0, ino: 0 } } }],
])('it is kept while the %s folder is not there, for when that is back', (side, change) => {
  expect(() => bindBase(store, { ...fresh, ...change })).toThrow(`the ${side} folder is not there`)
  bindBase(store, fresh)
  expect(store.tree.children?.size).toBe(1)
})

const disk = (id: string, ino = 2): ReplicaInfo => ({
  ...info('volume', ino),
  storage: { kind: 'volume', id },
})

test.each([
  [
    'is kept when the container of a pod starts again on the same volume',
    'ext4 /dev/sda1 8:1 /pods/uid/v',
    1,
  ],
  ['is dropped where the volume was in memory: another may have its number', 'tmpfs tmpfs 0:73 /', 0],
  ['is dropped where nothing is known of the volume', 'mount 73', 0],
])('a base %s', (_, id, size) => {
  bindBase(store, { ...fresh, remote: disk(id) })
  store.commit([['f', { kind: 'directory' }]])
  bindBase(store, { ...fresh, container: 'two', remote: disk(id) })
  expect(store.tree.children?.size).toBe(size)
  bindBase(store, { ...fresh, container: 'two', remote: disk(id, 3) })
  expect(store.tree.children?.size).toBe(0)
})

test('a base that was copied from another machine is dropped', () => {
  bindBase(store, { ...fresh, local: { ...local, storage: { kind: 'local', id: 'other machine 1:1' } } })
  expect(store.tree.children?.size).toBe(0)
})

test('a container that stands in for another is seeded from local', () => {
  bindBase(store, { ...fresh, container: 'two', isSuccessor: true })
  expect(store.firstContact).toBe('seed')
})

test('what is on a volume is not taken for old', () => {
  bindBase(store, { ...fresh, container: 'two', remote: info('volume', 2), isSuccessor: true })
  expect(store.firstContact).toBe('merge')
})

test('another folder in the same container is not new, nor is a container whose base is damaged', () => {
  bindBase(store, { ...fresh, remote: info('container', 3), isSuccessor: true })
  expect(store.firstContact).toBe('merge')
  store.close()
  writeFileSync(join(root, 'base'), 'damaged')
  store = openBaseStore(join(root, 'base'))
  bindBase(store, { ...fresh, isSuccessor: true })
  expect(store.firstContact).toBe('merge')
})

test('a policy for first contact is for when a spec begins, and for nothing that was lost since', () => {
  const policy = { ...fresh, firstContact: 'local' } as const
  const contactOf = (binding: Parameters<typeof bindBase>[1], path = join(root, 'other')) => {
    const other = openBaseStore(path)
    bindBase(other, binding)
    other.close()
    return other.firstContact
  }
  expect(contactOf(policy)).toBe('local')
  expect(contactOf({ ...policy, remote: info('container', 3) })).toBe('merge')
  expect(contactOf({ ...policy, container: 'two' })).toBe('merge')
  expect(contactOf({ ...policy, isSuccessor: true }, join(root, 'third'))).toBe('seed')
  const volume = { ...policy, remote: info('volume', 2), isSuccessor: true }
  expect(contactOf(volume, join(root, 'fourth'))).toBe('merge')
})

test('a seeding that was cut off goes on as such', () => {
  bindBase(store, { ...fresh, container: 'two', isSuccessor: true })
  bindBase(store, { ...fresh, container: 'two', isSuccessor: false })
  expect(store.firstContact).toBe('seed')
})
