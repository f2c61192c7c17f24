import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
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

const everywhere = () => true

describe('what was agreed on', () => {
  test('is there for the next process, and for nobody else', async () => {
    await (await openBase(path)).put([entry('A'), entry('B')])
    const store = await openBase(path)
    expect(store.find('A', '/f/a.yaml', everywhere)).toEqual(entry('A'))
    expect(store.find('C', '/f/a.yaml', everywhere)).toBeUndefined()
    expect(statSync(path).mode & 0o77).toBe(0)
  })

  test('is replaced by what comes later, and can be forgotten', async () => {
    const store = await openBase(path)
    await store.put([entry('A'), entry('B')])
    await store.put([entry('A', '/f/a.yaml', 2)])
    await store.forget([entry('B')])
    for (const one of [store, await openBase(path)]) {
      expect(one.find('A', '/f/a.yaml', everywhere)?.agreed.file).toMatchObject({ value: 2 })
      expect(one.find('B', '/f/a.yaml', everywhere)).toBeUndefined()
    }
  })

  test('two checkouts of a folder have each their own', async () => {
    const store = await openBase(path)
    await store.put([entry('A', '/one/a.yaml', 1)])
    expect(store.find('A', '/two/a.yaml', everywhere)).toBeUndefined()
    expect(store.below('/one').map(({ file }) => file)).toEqual(['/one/a.yaml'])
    expect(store.below('/on')).toEqual([])
  })

  test('goes with a file that was moved', async () => {
    const store = await openBase(path)
    await store.put([entry('A', '/one/a.yaml')])
    expect(store.find('A', '/two/a.yaml', () => false)).toEqual(entry('A', '/two/a.yaml'))
  })
})

describe('a damaged log', () => {
  test('loses what is damaged and nothing else, and can be written to', async () => {
    await (await openBase(path)).put([entry('A'), entry('B'), entry('C')])
    writeFileSync(path, readFileSync(path, 'utf8').replace(/("B".*)true/, '$1fals'))
    appendFileSync(path, '0\t"torn')
    const store = await openBase(path)
    await store.put([entry('D')])
    const names = (await openBase(path)).below('/f').map(({ name }) => name)
    expect(names).toEqual(['A', 'C', 'D'])
  })
})
