import { mkdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { digestOf } from './hash.ts'
import { diskAsText, treeAsText } from './testing/disk.ts'
import { temporaryRoot } from './testing/roots.ts'
import { eventually, fileAt, servedReplica, stampAt } from './testing/served.ts'

describe('a replica', () => {
  test('has the whole tree when it is connected, and follows what happens on disk', async () => {
    const root = temporaryRoot()
    mkdirSync(join(root, 'd'))
    writeFileSync(join(root, 'd/f'), 'x')
    const replica = await servedReplica(root)
    expect(treeAsText(replica.tree)).toEqual(diskAsText(root))
    writeFileSync(join(root, 'd/g'), 'y')
    await eventually(replica, () => treeAsText(replica.tree)['d/g'] !== undefined)
    rmSync(join(root, 'd'), { recursive: true })
    await eventually(replica, () => treeAsText(replica.tree).d === undefined)
  })

  test('tells who it is', async () => {
    const root = temporaryRoot()
    const { ino, dev } = statSync(root)
    const { info } = await servedReplica(root)
    expect(info).toEqual({
      root: { dev, ino },
      storage: { kind: 'local', id: String(ino) },
      uid: process.geteuid?.(),
      gid: process.getegid?.(),
      readOnly: undefined,
    })
  })

  test('tells of a new identity when its root is replaced, and of none while there is none', async () => {
    const root = join(temporaryRoot(), 'root')
    mkdirSync(root)
    const replica = await servedReplica(root)
    renameSync(root, `${root}.old`)
    await eventually(replica, () => replica.tree === undefined)
    expect(replica.info.root).toEqual({ dev: 0, ino: 0 })
    mkdirSync(root)
    await eventually(replica, () => replica.tree !== undefined)
    expect(replica.info.root.ino).toBe(statSync(root).ino)
  })

  test('has delivered everything that was there when a rescan resolves', async () => {
    const root = temporaryRoot()
    const replica = await servedReplica(root)
    for (let i = 0; i < 20_000; i++) writeFileSync(join(root, `f${i}`), '')
    await replica.rescan('all')
    expect(replica.tree?.children?.size).toBe(20_000)
  })

  test('tells of problems with the snapshot they belong to', async () => {
    const root = temporaryRoot()
    symlinkSync('/etc', join(root, 'link'))
    const replica = await servedReplica(root)
    expect([...replica.problems.keys()]).toEqual(['link'])
    rmSync(join(root, 'link'))
    await eventually(replica, () => treeAsText(replica.tree).link === undefined)
    expect(replica.problems).toEqual(new Map())
  })
})

describe('hashing', () => {
  test('gives digests of what is at the stamp, and puts them into the tree', async () => {
    const root = temporaryRoot()
    const large = Buffer.alloc(3_000_000, 'large')
    writeFileSync(join(root, 'small'), 'small')
    writeFileSync(join(root, 'large'), large)
    writeFileSync(join(root, 'empty'), '')
    const replica = await servedReplica(root)
    const requests = ['small', 'large', 'empty'].map((path) => ({ path, stamp: stampAt(replica, path) }))
    const digests = [Buffer.from('small'), large, Buffer.alloc(0)].map(digestOf)
    expect(await replica.hash(requests)).toEqual(digests)
    expect(fileAt(replica, 'large').digest).toBe(digests[1])
  })

  test('gives none of what is not at its stamp, or not at all', async () => {
    const root = temporaryRoot()
    writeFileSync(join(root, 'f'), 'old')
    const replica = await servedReplica(root)
    const stamp = stampAt(replica, 'f')
    writeFileSync(join(root, 'f'), 'newer')
    expect(
      await replica.hash([
        { path: 'f', stamp },
        { path: 'gone', stamp },
        { path: 'f/below', stamp },
      ]),
    ).toEqual([undefined, undefined, undefined])
    expect(await replica.hash([])).toEqual([])
  })
})
