import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { openSealer } from '../secrets/seal.ts'
import { type BaseEntry, openBase } from './store.ts'

let path = ''
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'kubesync-base-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  path = join(folder, 'deep', 'base')
})

function entry(name: string, file = '/f/a.yaml', value = 1): BaseEntry {
  const agreed = { file: { value, text: 'tab\tand\nline' }, live: { value, more: true } }
  return { name, file, agreed, resourceVersion: '7', uid: 'u', isPushed: false }
}

const rest = { resourceVersion: '7', uid: 'u', isPushed: false }
const everywhere = () => true
const open = () => openBase(path, openSealer(`${path}.key`))

describe('what was agreed on', () => {
  test('is there for the next process, and for nobody else', async () => {
    await (await open()).put([entry('A'), entry('B')])
    const store = await open()
    expect(store.find('A', '/f/a.yaml', everywhere)).toEqual(entry('A'))
    expect(store.find('C', '/f/a.yaml', everywhere)).toBeUndefined()
    expect(statSync(path).mode & 0o77).toBe(0)
  })

  test('is replaced by what comes later, and can be forgotten', async () => {
    const store = await open()
    await store.put([entry('A'), entry('B')])
    await store.put([entry('A', '/f/a.yaml', 2)])
    await store.forget([entry('B')])
    for (const one of [store, await open()]) {
      expect(one.find('A', '/f/a.yaml', everywhere)?.agreed.file).toMatchObject({ value: 2 })
      expect(one.find('B', '/f/a.yaml', everywhere)).toBeUndefined()
    }
  })

  test('by another process meanwhile is taken over when that is asked for', async () => {
    const [store, other] = [await open(), await open()]
    await store.put([entry('A'), entry('B')])
    await other.put([entry('A', '/f/a.yaml', 2)])
    await other.forget([entry('B')])
    expect(store.find('A', '/f/a.yaml', everywhere)?.agreed.file).toMatchObject({ value: 1 })
    await store.refresh()
    expect(store.find('A', '/f/a.yaml', everywhere)?.agreed.file).toMatchObject({ value: 2 })
    expect(store.find('B', '/f/a.yaml', everywhere)).toBeUndefined()
  })

  test('two checkouts of a folder have each their own', async () => {
    const store = await open()
    await store.put([entry('A', '/one/a.yaml', 1)])
    expect(store.find('A', '/two/a.yaml', everywhere)).toBeUndefined()
    expect(store.below('/one').map(({ file }) => file)).toEqual(['/one/a.yaml'])
    expect(store.below('/on')).toEqual([])
  })

  test('goes with a file that was moved', async () => {
    const store = await open()
    await store.put([entry('A', '/one/a.yaml')])
    expect(store.find('A', '/two/a.yaml', () => false)).toEqual(entry('A', '/two/a.yaml'))
  })
})

describe('a damaged log', () => {
  test('loses what is damaged and nothing else, and can be written to', async () => {
    await (await open()).put([entry('A'), entry('B'), entry('C')])
    writeFileSync(path, readFileSync(path, 'utf8').replace(/("B".*)true/, '$1fals'))
    appendFileSync(path, '0\t"torn')
    const store = await open()
    await store.put([entry('D')])
    const names = (await open()).below('/f').map(({ name }) => name)
    expect(names).toEqual(['A', 'C', 'D'])
  })
})

describe('values of Secrets', () => {
  const secret: BaseEntry = {
    ...entry('Secret shop/db'),
    agreed: { file: { a: 'hunter2' }, live: { a: 'hunter2' } },
  }

  test('are on the disk only sealed, and are there for the next process', async () => {
    await (await open()).put([secret, entry('A')])
    expect(readFileSync(path, 'utf8')).not.toContain('hunter2')
    expect((await open()).find('Secret shop/db', '/f/a.yaml', everywhere)).toEqual(secret)
    const moved = (await open()).find('Secret shop/db', '/f/b.yaml', (file) => file !== '/f/a.yaml')
    expect(moved).toEqual({ ...secret, file: '/f/b.yaml' })
  })

  test('that were kept as they are once are sealed when they are found, and no older line keeps them', async () => {
    const line = (text: string) => `${crc32(text).toString(16)}\t${text}\n`
    const content = JSON.stringify({ ...secret.agreed, local: secret.agreed.file, ...rest })
    const key = ['Secret shop/db', 'Secret shop/gone'].map((name) => `${JSON.stringify(name)}\t"/f/a.yaml"\t`)
    mkdirSync(dirname(path))
    writeFileSync(path, line(`${key[0]}${content}`) + line(`${key[1]}${content}`) + line(`${key[1]}`))
    const store = await open()
    expect(readFileSync(path, 'utf8')).not.toContain('hunter2')
    for (const one of [store, await open()]) {
      expect(one.find('Secret shop/db', '/f/a.yaml', everywhere)).toEqual(secret)
      expect(one.find('Secret shop/gone', '/f/a.yaml', everywhere)).toBeUndefined()
    }
  })

  test('whose key is lost were never agreed on; all others still are', async () => {
    await (await open()).put([secret, entry('A')])
    rmSync(`${path}.key`)
    const store = await open()
    expect(store.find('Secret shop/db', '/f/a.yaml', everywhere)).toBeUndefined()
    expect(store.below('/f').map(({ name }) => name)).toEqual(['A'])
    await store.put([secret])
    expect((await open()).find('Secret shop/db', '/f/a.yaml', everywhere)).toEqual(secret)
  })
})
