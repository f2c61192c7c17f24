import { expect, test } from 'vitest'
import { exclusionsOf, ordersOf } from './rules.ts'

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
