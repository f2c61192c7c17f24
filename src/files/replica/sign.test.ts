import { closeSync, ftruncateSync, openSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { blockSizeFor } from '../blocks/signature.ts'
import { nodeAt } from '../delta.ts'
import type { Stamp } from '../tree.ts'
import { openDirectory } from './open-directory.ts'
import { sign } from './sign.ts'
import { temporaryRoot } from './testing/roots.ts'
import { Scanning } from './testing/scanning.ts'

const SIZE = 64 * 1024 * 1024
const blockSize = blockSizeFor(SIZE)
const DAY = 86_400

/** A file of zeros that takes no room. */
function large(path: string, ago = 0): void {
  const fd = openSync(path, 'w')
  ftruncateSync(fd, SIZE)
  closeSync(fd)
  const then = Date.now() / 1000 - ago
  utimesSync(path, then, then)
}

function stampOf(scanning: Scanning, name: string): Stamp {
  const entry = nodeAt(scanning.tree, name)?.entry
  if (entry?.kind !== 'file') throw new Error(`${name} is no file`)
  return entry.stamp
}

/** Of all that is there, what was signed before anybody asked. */
async function known(root: string, signsAhead: boolean): Promise<(name: string) => Promise<unknown>> {
  const scanning = new Scanning(root, openDirectory, { signsAhead })
  await scanning.rescan([])
  return async (name) => scanning.scanner.sums.find(name, stampOf(scanning, name), blockSize)
}

describe('what is found in a folder that is going to be written to', () => {
  test('is signed at once if it is large and was written lately', async () => {
    const root = temporaryRoot()
    large(join(root, 'lately'))
    large(join(root, 'long ago'), 2 * DAY)
    writeFileSync(join(root, 'small'), 'small')
    const sums = await known(root, true)
    expect(await sums('lately')).toHaveLength(SIZE / blockSize)
    expect(await sums('long ago')).toBeUndefined()
    expect(await sums('small')).toBeUndefined()
  })

  test('is read no more than a session may need', async () => {
    const root = temporaryRoot()
    // Together they are over a gigabyte.
    for (let i = 0; i < 17; i++) large(join(root, `f${i}`), i)
    const sums = await known(root, true)
    await vi.waitFor(async () => expect(await sums('f15')).toBeDefined(), 20_000)
    expect(await sums('f16')).toBeUndefined()
  })

  test('is not read where that is not wanted', async () => {
    const root = temporaryRoot()
    large(join(root, 'lately'))
    const sums = await known(root, false)
    expect(await sums('lately')).toBeUndefined()
  })

  test('is signed once, however often and early that is asked for', async () => {
    const root = temporaryRoot()
    large(join(root, 'f'))
    const scanning = new Scanning(root, openDirectory, { signsAhead: true })
    await scanning.rescan([])
    const request = { path: 'f', old: stampOf(scanning, 'f'), blockSize }
    const [one, other] = await Promise.all([sign(scanning.scanner, request), sign(scanning.scanner, request)])
    expect(one.old).toHaveLength(SIZE / blockSize)
    expect(other.old).toBe(one.old)
  })
})
