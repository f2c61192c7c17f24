import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openInside } from './jail.ts'

describe.runIf(process.platform === 'linux')('openInside', () => {
  let outside: string
  let inside: string
  let root: number

  beforeEach(() => {
    outside = mkdtempSync(join(tmpdir(), 'kubesync-jail-'))
    inside = join(outside, 'container')
    mkdirSync(join(inside, 'app/src'), { recursive: true })
    writeFileSync(join(inside, 'app/file'), '')
    root = openSync(inside, constants.O_RDONLY | constants.O_DIRECTORY)
  })

  afterEach(() => {
    closeSync(root)
    rmSync(outside, { recursive: true })
  })

  function resolve(path: string, create = false): string | undefined {
    const fd = openInside(root, path, { create })
    if (fd === undefined) return undefined
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } finally {
      closeSync(fd)
    }
  }

  test.each([
    ['/', '/'],
    ['/app/src', '/app/src'],
    ['/app//./src/', '/app/src'],
    ['/../../..', '/'],
    ['/app/../../app/src', '/app/src'],
  ])('%s is %s', (path, where) => {
    expect(resolve(path)).toBe(inside + (where === '/' ? '' : where))
  })

  test.each([
    ['an absolute link starts at the container’s root', '/app/src', '/app/src'],
    ['a relative link starts where it stands', 'src', '/app/src'],
    ['a link upwards ends at the root', '../../../../..', '/'],
    ['a link to a link', '../second', '/app'],
  ])('%s', (_, target, where) => {
    symlinkSync('/app', join(inside, 'second'))
    symlinkSync(target, join(inside, 'app/link'))
    expect(resolve('/app/link')).toBe(inside + (where === '/' ? '' : where))
  })

  test('a link to a place that only the node has leads nowhere', () => {
    symlinkSync(outside, join(inside, 'out'))
    symlinkSync('/proc/1/root', join(inside, 'node'))
    expect(resolve('/out')).toBeUndefined()
    expect(resolve('/node')).toBeUndefined()
  })

  test('what it creates behind a link to the outside is inside', () => {
    symlinkSync(`${outside}/made`, join(inside, 'out'))
    expect(resolve('/out/deep', true)).toBe(`${inside}${outside}/made/deep`)
    expect(readdirSync(outside)).toEqual(['container'])
  })

  test('links in a circle are an error, not a hang', () => {
    symlinkSync('b', join(inside, 'a'))
    symlinkSync('a', join(inside, 'b'))
    expect(() => resolve('/a')).toThrow(expect.objectContaining({ code: 'REMOTE_LINK_LOOP' }))
  })

  test('a file on the way is an error that names the path', () => {
    expect(() => resolve('/app/file/x')).toThrow('/app/file/x is not a directory')
    expect(() => resolve('/app/file')).toThrow(expect.objectContaining({ code: 'REMOTE_NOT_A_DIRECTORY' }))
  })

  test('what is missing is made only when asked', () => {
    expect(resolve('/new/deep')).toBeUndefined()
    expect(resolve('/new/deep', true)).toBe(`${inside}/new/deep`)
  })

  test('where the system lets nobody create anything, the error names the path', () => {
    const proc = openSync('/', constants.O_RDONLY | constants.O_DIRECTORY)
    expect(() => openInside(proc, '/proc/self/made', { create: true })).toThrow(
      '/proc/self/made cannot be created',
    )
    closeSync(proc)
  })

  test('no descriptor is left open, whatever happens', () => {
    const open = () => readdirSync('/proc/self/fd').length
    symlinkSync('loop', join(inside, 'loop'))
    const before = open()
    for (const path of ['/app/src/../src', '/loop', '/app/file/x', '/none/x']) {
      try {
        resolve(path)
      } catch {}
    }
    expect(open()).toBe(before)
  })
})
