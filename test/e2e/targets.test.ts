import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { useLab } from './support/cluster.ts'
import { useLaptop } from './support/ksync.ts'
import { testWith } from './support/place.ts'
import { listLocal, listRemote } from './support/trees.ts'

describe('containers of every kind', () => {
  const lab = useLab('targets')
  const laptop = useLaptop()
  let folder: string

  beforeAll(() => {
    laptop.hasRunInit()
    folder = laptop.folder('folder')
    writeFileSync(join(folder, 'file'), 'content')
    writeFileSync(join(folder, 'program'), '#!/bin/sh\n', { mode: 0o755 })
  })

  async function once(pod: string, remote: string, ...flags: string[]) {
    await lab.deploy(pod)
    return laptop.ksync('run', '--once', '-n', lab.namespace, '--pod', pod, ...flags, folder, remote)
  }

  testWith('images', 'users')('uid 1000: what it writes belongs to the container’s user', async () => {
    const { code } = await once('uid1000', '/home/dev/folder')
    expect(code).toBe(0)
    expect(await listRemote(lab, 'uid1000', { path: '/home/dev/folder' })).toEqual(listLocal(folder))
    expect(await lab.sh('uid1000', 'stat -c %u:%g /home/dev/folder /home/dev/folder/file')).toBe(
      '1000:1000\n1000:1000\n',
    )
  })

  testWith('images', 'users')(
    'uid 1000: a folder that it may not write is said by path and uid, and nothing is written',
    async () => {
      const { code, stderr } = await once('uid1000', '/app')
      expect(code).not.toBe(0)
      expect(stderr).toContain('/app')
      expect(stderr).toContain('uid 1000')
      expect(await lab.sh('uid1000', 'ls /app')).not.toContain('program')
    },
  )

  testWith('images')('nothing but a static program: no shell, no tar', async () => {
    const { code } = await once('static', '/data/folder')
    expect(code).toBe(0)
    const files = await laptop.did('files', '-n', lab.namespace, '-l', 'app=static', '/data/folder')
    expect(files).toMatch(/file/)
    expect(files).toMatch(/program/)
  })

  test('a read-only root: the writable volume is synced', async () => {
    const { code } = await once('readonly', '/data')
    expect(code).toBe(0)
    expect(await listRemote(lab, 'readonly', { path: 'data' })).toEqual(listLocal(folder))
  })

  testWith('readOnlyRoot')(
    'a read-only root: elsewhere it says that the filesystem is read-only',
    async () => {
      const { code, stderr } = await once('readonly', '/srv/new')
      expect(code).not.toBe(0)
      expect(stderr).toContain('/srv/new')
      expect(stderr).toMatch(/read-only/)
    },
  )

  test('two containers: the one that is named is synced, the other is not', async () => {
    const { code } = await once('two', '/folder', '--container', 'other')
    expect(code).toBe(0)
    expect(await listRemote(lab, 'two', { path: 'folder', container: 'other' })).toEqual(listLocal(folder))
    await expect(lab.sh('two', 'ls folder', 'one')).rejects.toThrow(/No such file/)
  })

  test('two containers: a name that is not there is an error that lists those that are', async () => {
    const { code, stderr } = await once('two', '/folder', '--container', 'third')
    expect(code).not.toBe(0)
    expect(stderr).toContain('one')
    expect(stderr).toContain('other')
  })

  test('a volume in memory', async () => {
    const { code } = await once('memory', '/data')
    expect(code).toBe(0)
    expect(await listRemote(lab, 'memory', { path: 'data' })).toEqual(listLocal(folder))
  })
})
