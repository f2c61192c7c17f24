import { createHash, randomBytes } from 'node:crypto'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MAX_TEXT, openTextStore } from './texts.ts'

const digestOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('binary')
const KIB = 1024

let root: string
let path: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'texts-'))
  path = join(root, 'spec', 'texts')
})
afterEach(() => rmSync(root, { recursive: true }))

/** Keeps some texts, and says which of them another store finds. */
function kept(texts: readonly Buffer[], maxTotal?: number): boolean[] {
  const store = openTextStore(path, maxTotal)
  for (const text of texts) store.add(digestOf(text), text)
  store.close()
  const again = openTextStore(path, maxTotal)
  const found = texts.map((text) => again.get(digestOf(text))?.equals(text) === true)
  again.close()
  return found
}

const text = (name: string, size: number) => Buffer.from(name.repeat(size).slice(0, size))

test('texts are found again, by their digest, by this user only', () => {
  expect(kept([text('a', 1), text('b', 1000), Buffer.alloc(0)])).toEqual([true, true, true])
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('what is no text, or too large, is not kept', () => {
  expect(kept([Buffer.from('a\0b'), text('a', MAX_TEXT + 1), text('a', MAX_TEXT)])).toEqual([
    false,
    false,
    true,
  ])
})

test('the oldest go when there is too much', () => {
  const texts = Array.from({ length: 20 }, (_, index) => text(`${index} `, 10 * KIB))
  const found = kept(texts, 100 * KIB)
  expect(found[0]).toBe(false)
  expect(found.slice(-5)).toEqual([true, true, true, true, true])
  expect(statSync(path).size + statSync(`${path}.old`).size).toBeLessThanOrEqual(100 * KIB)
})

test('what a crash left is cut off, and what is damaged is not there', () => {
  const texts = [text('one', 100), text('two', 100)]
  kept(texts)
  appendFileSync(path, randomBytes(50))
  expect(kept([text('three', 100)])).toEqual([true])
  expect(kept(texts)).toEqual([true, true])
  const bytes = readFileSync(path)
  bytes[50] = 0x21
  writeFileSync(path, bytes)
  const store = openTextStore(path)
  expect(texts.map((one) => store.get(digestOf(one)) !== undefined)).toEqual([false, true])
  store.close()
})

test('where nothing can be written, nothing is kept, and nothing fails', () => {
  writeFileSync(join(root, 'spec'), 'a file')
  expect(kept([text('a', 1)])).toEqual([false])
})
