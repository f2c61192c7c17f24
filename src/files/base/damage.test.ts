import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { walk } from '../delta.ts'
import { temporaryRoot } from '../replica/testing/roots.ts'
import type { BaseUpdate } from './base.ts'
import type { Disk } from './disk.ts'
import { nodeDisk } from './disk.ts'
import type { Identity } from './image.ts'
import { openBaseStore } from './store.ts'

const identity: Identity = { container: 'pod/id', localRoot: '1:2', remoteRoot: '3:4', storage: 'container' }

function file(content: string): BaseUpdate[1] {
  const stamp = { mtimeMs: 1, ctimeMs: 2, ino: 3, size: 4, mode: 0o100644 }
  return { kind: 'file', digest: content.padEnd(32), executable: false, local: stamp, remote: stamp }
}

/** What a base says, of itself and of every path. */
function show(path: string): { readonly said: string; readonly isAside: boolean } {
  const store = openBaseStore(path)
  store.close()
  const { identity: whose, firstContact, tree, setAside } = store
  return { said: JSON.stringify([whose, firstContact, [...walk(tree)]]), isAside: setAside !== undefined }
}

/** A base with a snapshot and a log of several records, and what it said at each moment. */
function written(updates: readonly (readonly BaseUpdate[])[]): {
  bytes: Buffer
  path: string
  moments: string[]
} {
  const path = join(temporaryRoot(), 'base')
  const store = openBaseStore(path)
  store.reset(identity, 'seed')
  const moments = [show(path).said]
  for (const [index, update] of updates.entries()) {
    if (index === 1) store.settle()
    else store.commit(update)
    moments.push(show(path).said)
  }
  store.close()
  return { bytes: readFileSync(path), path, moments }
}

const update = fc.tuple(
  fc.constantFrom('a', 'b', 'c'),
  fc.oneof(fc.constantFrom('1', '2').map(file), fc.constant(null)),
)
const log = fc.array(fc.array(update, { minLength: 1, maxLength: 4 }), { maxLength: 5 })

describe('a base file', () => {
  test('with any bit wrong, anywhere, is set aside, and kept as it is', () => {
    fc.assert(
      fc.property(log, fc.nat(), fc.nat(7), (updates, place, bit) => {
        const { bytes, path } = written(updates)
        const at = place % bytes.length
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
        writeFileSync(path, bytes)
        expect(show(path)).toEqual({ said: '[null,"merge",[]]', isAside: true })
        expect(readFileSync(`${path}.damaged-1`).equals(bytes)).toBe(true)
      }),
      { numRuns: 150 },
    )
  })

  test('with a piece of it overwritten is what it was, or set aside', () => {
    const piece = fc.uint8Array({ minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(log, fc.nat(), piece, (updates, place, other) => {
        const { bytes, path, moments } = written(updates)
        const at = place % bytes.length
        const spoiled = Buffer.from(bytes)
        spoiled.set(other.subarray(0, bytes.length - at), at)
        writeFileSync(path, spoiled)
        const { said, isAside } = show(path)
        // Zeros up to the end are what a loss of power leaves.
        const isZeroed = spoiled.subarray(at).every((byte) => byte === 0)
        expect(isAside || said === moments.at(-1) || (isZeroed && moments.includes(said))).toBe(true)
      }),
      { numRuns: 150 },
    )
  })

  test('that is cut off anywhere says what it said at some moment, or is set aside', () => {
    fc.assert(
      fc.property(log, fc.nat(), (updates, place) => {
        const { bytes, path, moments } = written(updates)
        writeFileSync(path, bytes.subarray(0, place % bytes.length))
        const { said, isAside } = show(path)
        expect(isAside || moments.includes(said)).toBe(true)
      }),
      { numRuns: 150 },
    )
  })

  test('is set aside three times at most: the oldest goes', () => {
    const path = join(temporaryRoot(), 'base')
    mkdirSync(join(path, '..'), { recursive: true })
    for (const content of ['1', '2', '3', '4', '5']) {
      writeFileSync(path, content)
      openBaseStore(path).close()
    }
    expect(readdirSync(join(path, '..')).sort()).toEqual([
      'base.damaged-1',
      'base.damaged-2',
      'base.damaged-3',
    ])
    expect(['1', '2', '3'].map((number) => readFileSync(`${path}.damaged-${number}`, 'utf8'))).toEqual([
      ...['3', '4', '5'],
    ])
  })

  test('has what must not be forgotten on the disk, and waits for nothing else', () => {
    let syncs = 0
    const disk: Disk = {
      ...nodeDisk,
      sync(fd) {
        syncs++
        nodeDisk.sync(fd)
      },
    }
    const store = openBaseStore(join(temporaryRoot(), 'base'), disk)
    store.reset(identity, 'seed')
    syncs = 0
    store.commit([['a', file('1')]])
    expect(syncs).toBe(0)
    store.commit([['a', null]])
    expect(syncs).toBe(1)
    store.settle()
    expect(syncs).toBe(2)
    store.close()
  })
})
