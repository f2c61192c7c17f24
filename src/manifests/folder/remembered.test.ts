import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readOne, type TextFile } from './documents.ts'
import { readRemembered } from './remembered.ts'

const named = (name: string, kind = 'ConfigMap') =>
  `apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ${kind}, metadata: {name: ${name}}, data: {a: b}}\n`

test('a text is parsed once, wherever it is; not so what has remarks, holds a Secret, or was damaged', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kubesync-parsed-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const store = join(folder, 'parsed')
  const files = [
    { path: 'a.yaml', text: named('a') },
    { path: 'secret.yaml', text: named('s', 'Secret') },
    { path: 'broken.yaml', text: 'a: [' },
  ]
  const read = async (some: readonly TextFile[]) => {
    const parsed: string[] = []
    const documents = await readRemembered(some, store, async (file) => {
      parsed.push(file.path)
      return readOne(file)
    })
    expect(documents).toEqual(some.map(readOne))
    return parsed
  }
  expect(await read(files)).toEqual(['a.yaml', 'secret.yaml', 'broken.yaml'])
  expect(await read(files)).toEqual(['secret.yaml', 'broken.yaml'])
  expect(await read([{ path: 'moved.yaml', text: named('a') }])).toEqual([])
  expect(await read([{ path: 'a.yaml', text: named('b') }])).toEqual(['a.yaml'])
  writeFileSync(store, readFileSync(store, 'utf8').slice(0, -3))
  expect(await read(files.slice(0, 1))).toEqual(['a.yaml'])
})
