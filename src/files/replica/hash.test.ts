import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { using } from './dir.ts'
import { digestOf, hashOpen, newTagKey, Tagging } from './hash.ts'
import { openDirectory } from './open-directory.ts'
import { Pace } from './pace.ts'
import { stampOf } from './stamp.ts'
import { temporaryRoot } from './testing/roots.ts'

function tagged(bytes: Buffer) {
  const key = newTagKey()
  const tagging = new Tagging(key)
  tagging.update(bytes)
  return { key, tag: tagging.tag() }
}

test('there is a digest of what was sent, and none of what the file holds by now if that is not the same', async () => {
  const root = temporaryRoot()
  const content = Buffer.alloc(3_000_000, 'one')
  writeFileSync(join(root, 'file'), content)
  const stamp = stampOf(statSync(join(root, 'file')))
  await using(openDirectory(root), async (dir) => {
    const file = dir.openFile('file', 'read')
    const pace = new Pace()
    expect(await hashOpen(file, stamp, { pace, sent: tagged(content) })).toBe(digestOf(content))
    const before = Buffer.alloc(content.length, 'two')
    expect(await hashOpen(file, stamp, { pace, sent: tagged(before) })).toBeUndefined()
    file.close()
  })
})
