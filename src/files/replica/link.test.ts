import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { badLink } from './link.ts'

describe('a link may be synced', () => {
  test.each([
    ['l', 'file'],
    ['l', './a/b'],
    ['a/l', '../file'],
    ['a/b/l', '../..'],
    ['a/l', '..//./b/'],
    ['l', 'missing/as/it/may/be'],
    ['l', '..a/b..'],
  ])('%s -> %s', (path, target) => {
    expect(badLink(path, target)).toBeUndefined()
  })
})

describe('a link may not be synced', () => {
  test.each([
    ['l', '/etc/passwd', 'LINK_ABSOLUTE'],
    ['l', 'C:x', 'LINK_ABSOLUTE'],
    ['l', '..\\x', 'LINK_ABSOLUTE'],
    ['l', '..', 'LINK_OUTSIDE'],
    ['a/l', '../../x', 'LINK_OUTSIDE'],
    ['a/l', './..//../a', 'LINK_OUTSIDE'],
    ['a/l', 'x/../y', 'LINK_WINDING'],
    ['a/b/l', '../x/..', 'LINK_WINDING'],
  ])('%s -> %s: %s', (path, target, code) => {
    expect(badLink(path, target)?.code).toBe(code)
  })
})

test('links that may be synced do not lead out together, however many there are', () => {
  const directories = ['', 'a', 'a/a']
  const target = fc
    .array(fc.constantFrom('..', '..', 'l', 'm', 'a'), { minLength: 1, maxLength: 3 })
    .map((names) => names.join('/'))
  const link = fc.record({
    path: fc
      .tuple(fc.constantFrom(...directories), fc.constantFrom('l', 'm'))
      .map(([directory, name]) => (directory === '' ? name : `${directory}/${name}`)),
    target,
  })
  fc.assert(
    fc.property(fc.uniqueArray(link, { selector: ({ path }) => path, minLength: 2 }), (links) => {
      const root = join(realpathSync(mkdtempSync(join(tmpdir(), 'link-'))), 'root')
      try {
        for (const directory of directories) mkdirSync(join(root, directory), { recursive: true })
        const synced = links.filter(({ path, target }) => badLink(path, target) === undefined)
        for (const { path, target } of synced) symlinkSync(target, join(root, path))
        for (const { path } of synced) {
          const end = realPath(join(root, path))
          if (end !== undefined) expect(`${end}/`.startsWith(`${root}/`)).toBe(true)
        }
      } finally {
        rmSync(dirname(root), { recursive: true })
      }
    }),
    { numRuns: 300 },
  )
})

/** Undefined for a link that leads to nothing, or in circles. */
function realPath(path: string): string | undefined {
  try {
    // The other one takes `..` for the name before it, which is the very mistake.
    return realpathSync.native(path)
  } catch {
    return undefined
  }
}
