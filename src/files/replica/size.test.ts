import { describe, expect, test } from 'vitest'
import type { Delta, DirectoryEntry, FileEntry } from '../tree.ts'
import { Folder, Holding } from './holding.ts'
import { View } from './view.ts'

const stamp = { mtimeMs: 0, ctimeMs: 0, ino: 1, size: 0, mode: 0o100644 }
const file: FileEntry = { kind: 'file', executable: false, stamp }
const directory: DirectoryEntry = { kind: 'directory', stamp }
const TOO_LARGE = 'the folder holds more than 5 entries'

describe('a folder with more than can be held', () => {
  function holding() {
    const held = new Holding(() => {}, 5)
    const top = new Folder('', directory, 0)
    held.setTop(top)
    const put = (name: string, folder = top) => held.setLeaf(folder, name, { entry: file })
    return { held, top, put }
  }

  test('is an error where it is scanned', () => {
    const { put } = holding()
    for (const name of '12345') put(name)
    expect(() => put('6')).toThrow(TOO_LARGE)
  })

  test('is told by what there is, not by what came and went', () => {
    const { held, top, put } = holding()
    for (let round = 0; round < 20; round++) {
      const below = new Folder('d', directory, 0)
      held.setFolder(top, 'd', below)
      for (const name of '123') put(name, below)
      put('1', below)
      held.learn('d/1', stamp, 'x'.repeat(32))
      if (round % 3 === 0) put('d')
      if (round % 3 === 1) held.remove(top, 'd')
    }
    held.remove(top, 'd')
    for (const name of '12345') put(name)
    held.setTop(undefined)
    const again = new Folder('', directory, 0)
    held.setTop(again)
    for (const name of '12345') put(name, again)
    expect(() => put('6', again)).toThrow(TOO_LARGE)
  })

  test('counts long texts: a link may lead to anything', () => {
    const { held, top } = holding()
    const entry = { kind: 'symlink' as const, target: 'x'.repeat(4000), stamp }
    expect(() => held.setLeaf(top, 'l', { entry })).toThrow(TOO_LARGE)
  })

  test('is an error where it arrives, as soon as it shows', () => {
    const names = Array.from({ length: 30 }, (_, i) => `${i}`)
    const view = new View(5)
    const delta: Delta = [['', directory], ...names.slice(0, 5).map((name) => [name, file] as const)]
    view.add({ kind: 'delta', isLast: true, delta })
    expect(() => view.add({ kind: 'delta', isLast: true, delta: [['5', file]] })).toThrow(TOO_LARGE)
    const endless: Delta = names.map((name) => [name, file] as const)
    expect(() => new View(5).add({ kind: 'delta', isLast: false, delta: endless })).toThrow(TOO_LARGE)
  })

  test('may be replaced by one that is no larger', () => {
    const view = new View(5)
    const delta: Delta = [
      ['', null],
      ['', directory],
      ...'12345'.split('').map((name) => [name, file] as const),
    ]
    for (let round = 0; round < 5; round++) view.add({ kind: 'delta', isLast: true, delta })
  })
})
