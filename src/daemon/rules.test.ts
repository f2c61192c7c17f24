import { expect, test } from 'vitest'
import { attributesOf, exclusionsOf, ordersOf } from './rules.ts'

test('version control is left alone unless the spec says otherwise; .gitignore counts only if it says so', () => {
  expect(ordersOf({})).toEqual({ rules: { patterns: [], vcs: true, files: [] }, reads: ['ksyncignore'] })
  const all = ordersOf({ ignore: ['x'], ignoreVcs: false, useGitignore: true })
  expect(all.rules).toEqual({ patterns: ['x'], vcs: false, files: [] })
  expect(all.reads).toEqual(['ksyncignore', 'gitignore', 'exclude'])
})

test('rule files never come from a container, unless the spec takes that back', () => {
  expect(exclusionsOf({ noUpload: ['a'], noDownload: ['!.ksyncignore'] })).toEqual({
    upload: ['a'],
    download: ['.ksyncignore', '!.ksyncignore'],
  })
  expect(exclusionsOf({ useGitignore: true }).download).toEqual(['.ksyncignore', '.gitignore'])
})

test('symlinks are treated as the spec says, on both sides', () => {
  expect(ordersOf({ symlinks: 'portable' }).rules.symlinks).toBeUndefined()
  expect(ordersOf({ symlinks: 'raw' }).rules.symlinks).toBe('raw')
})

test('owner and permissions are numbers by the time they travel', () => {
  expect(attributesOf({})).toEqual({})
  expect(attributesOf({ owner: '1000', fileMode: '640' })).toEqual({ owner: { uid: 1000 }, fileMode: 0o640 })
  expect(attributesOf({ owner: '0:33', dirMode: '0750' })).toEqual({
    owner: { uid: 0, gid: 33 },
    dirMode: 0o750,
  })
})
