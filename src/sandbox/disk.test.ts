import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { fillDisk } from './disk.ts'

let dir: string

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kubesync-disk-'))
})

afterEach(() => {
  spawnSync('umount', [dir])
  rmSync(dir, { recursive: true, force: true })
})

function hasRoom(path: string): boolean {
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize >= 256 * 1024 * 1024
}

it.runIf(hasRoom(tmpdir()))('leaves a file system alone that others may need', () => {
  expect(() => fillDisk(dir)).toThrow('bytes free')
})

it('leaves no room on a small file system, until it is removed', (context) => {
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', dir])
  context.skip(mounted.status !== 0, 'mounting takes root')
  const ballast = fillDisk(dir)
  expect(() => writeFileSync(join(dir, 'file'), 'content')).toThrow('ENOSPC')
  ballast.remove()
  writeFileSync(join(dir, 'file'), 'content')
})
