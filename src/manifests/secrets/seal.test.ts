import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { openSealer } from './seal.ts'

let path = ''
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'kubesync-key-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  path = join(folder, 'deep', 'key')
})

describe('what is sealed', () => {
  test('opens for the next process, for what it was sealed about, and not if a bit of it is another', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), fc.nat(), (text, about, at) => {
        const sealed = openSealer(path).seal(text, about)
        expect(openSealer(path).open(sealed, about)).toBe(text)
        expect(openSealer(path).open(sealed, `${about}x`)).toBeUndefined()
        const bytes = Buffer.from(sealed, 'base64')
        const place = at % bytes.length
        bytes[place] = (bytes[place] ?? 0) ^ 1
        expect(openSealer(path).open(bytes.toString('base64'), about)).toBeUndefined()
      }),
      { numRuns: 50 },
    )
  })

  test('says nothing of the text, and never the same twice', () => {
    const sealer = openSealer(path)
    const sealed = ['hunter2', 'hunter2'].map((text) => sealer.seal(text, 'db'))
    expect(new Set(sealed).size).toBe(2)
    expect(Buffer.from(sealed.join(''), 'base64').toString('latin1')).not.toContain('hunter2')
  })

  test('stays closed, and stops nothing, once the key is lost, damaged or another one', () => {
    const sealed = openSealer(path).seal('hunter2', 'db')
    for (const spoil of [() => rmSync(path), () => writeFileSync(path, 'short')]) {
      spoil()
      const sealer = openSealer(path)
      expect(sealer.open(sealed, 'db')).toBeUndefined()
      expect(sealer.open(sealer.seal('more', 'db'), 'db')).toBe('more')
      expect(sealer.open(sealed, 'db')).toBeUndefined()
    }
    expect(openSealer(path).open('no such thing', 'db')).toBeUndefined()
  })
})

test('the key is for this user alone, one for all who make it at once, and is not made to read', () => {
  expect(openSealer(path).open('AAAA', 'db')).toBeUndefined()
  expect(existsSync(path)).toBe(false)
  const [one, two] = [openSealer(path), openSealer(path)]
  const sealed = [one.seal('a', 'x'), two.seal('a', 'x')]
  for (const text of sealed) expect([one.open(text, 'x'), two.open(text, 'x')]).toEqual(['a', 'a'])
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(dirname(path))).toEqual(['key'])
})
