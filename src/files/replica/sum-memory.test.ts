import { describe, expect, test } from 'vitest'
import { SumMemory } from './sum-memory.ts'

const stamp = { mtimeMs: 1, ctimeMs: 1, ino: 1, size: 32 * 1024 * 1024, mode: 0o100644 }
const none = Promise.resolve(new Uint32Array(0))

describe('the sums of large files', () => {
  test('are there for the file they are of, and the blocks that are asked for', () => {
    const memory = new SumMemory()
    const sums = Promise.resolve(Uint32Array.of(1, 2))
    memory.add('f', { stamp, blockSize: 1024, sums })
    expect(memory.find('f', { ...stamp }, 1024)).toBe(sums)
    expect(memory.find('f', { ...stamp, ctimeMs: 2 }, 1024)).toBeUndefined()
    expect(memory.find('f', stamp, 2048)).toBeUndefined()
    expect(memory.find('g', stamp, 1024)).toBeUndefined()
  })

  test('take no more memory than 64 files of a gigabyte need, and the latest stay', () => {
    const memory = new SumMemory()
    for (let i = 0; i < 100; i++) memory.add(`f${i}`, { stamp, blockSize: 1024, sums: none })
    const left = Array.from({ length: 100 }, (_, i) => memory.find(`f${i}`, stamp, 1024)).filter(Boolean)
    expect(left.length).toBe(64)
    expect(memory.find('f99', stamp, 1024)).toBeDefined()
  })
})
