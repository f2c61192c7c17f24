import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'
import { expect, test } from 'vitest'
import type * as local from './local.ts'
import { diskAsText, treeAsText } from './testing/disk.ts'
import { temporaryRoot } from './testing/roots.ts'
import { carriedOut, eventually, stampAt } from './testing/served.ts'

/** The module as it is in a release: bundled, with the worker's file beside it. */
async function builtLocal(): Promise<typeof local> {
  const dir = temporaryRoot()
  const at = (name: string) => join(import.meta.dirname, name)
  const build = await rolldown({
    input: { local: at('local.ts'), 'replica-worker': at('worker.ts') },
    platform: 'node',
  })
  await build.write({ dir, format: 'esm', entryFileNames: '[name].js' })
  await build.close()
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
  return import(pathToFileURL(join(dir, 'local.js')).href)
}

test('a local directory is served by a thread of its own, links on the way to it followed', async () => {
  const { openLocalReplica } = await builtLocal()
  const place = temporaryRoot()
  const root = join(place, 'root')
  mkdirSync(root)
  writeFileSync(join(root, 'f'), 'content')
  symlinkSync('root', join(place, 'link'))
  const replica = await openLocalReplica(join(place, 'link'))
  expect(treeAsText(replica.tree)).toEqual(diskAsText(root))
  expect(replica.info.storage.kind).toBe('local')

  writeFileSync(join(root, 'g'), 'new')
  await eventually(replica, () => treeAsText(replica.tree).g !== undefined)
  const source = { stamp: stampAt(replica, 'f') }
  const put = { op: 'put', path: 'f', expect: 'absent', executable: false, source } as const
  const target = await openLocalReplica(temporaryRoot())
  expect(await carriedOut(target, [put], replica)).toMatchObject([{ result: 'done' }])

  await target.close()
  await replica.close()
  expect(await replica.closed).toMatchObject({ kind: 'closed' })
  expect(readFileSync(join(root, 'f'), 'utf8')).toBe('content')
})

test('a directory that is not there is an error that names it', async () => {
  const { openLocalReplica } = await builtLocal()
  const path = join(temporaryRoot(), 'missing')
  await expect(openLocalReplica(path)).rejects.toMatchObject({
    code: 'NO_SUCH_DIRECTORY',
    message: expect.stringContaining(path),
  })
})
