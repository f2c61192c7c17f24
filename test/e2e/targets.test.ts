import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { agentImage, agentNamespace, Lab } from './support/cluster.ts'
import { Laptop } from './support/ksync.ts'
import { listLocal, listRemote } from './support/trees.ts'

describe('containers of every kind', () => {
  const lab = new Lab('targets')
  const laptop = new Laptop()
  let folder: string

  beforeAll(async () => {
    await lab.create()
    await laptop.did('init', '--image', agentImage, '--namespace', agentNamespace)
    folder = laptop.folder('folder')
    writeFileSync(join(folder, 'file'), 'content')
    writeFileSync(join(folder, 'program'), '#!/bin/sh\n', { mode: 0o755 })
  })

  afterAll(async () => {
    await lab.remove()
    laptop.remove()
  })

  async function once(app: string, remote: string, ...flags: string[]) {
    await lab.deploy(app)
    const [pod = ''] = await lab.pods(app)
    const run = await laptop.ksync(
      ...['run', '--once', '-n', lab.namespace, '--pod', pod, ...flags, folder, remote],
    )
    return { pod, ...run }
  }

  test('uid 1000: what it writes belongs to the container’s user', async () => {
    const { pod, code } = await once('uid1000', '/home/dev/folder')
    expect(code).toBe(0)
    expect(await listRemote(lab, pod, { path: '/home/dev/folder' })).toEqual(listLocal(folder))
    expect(await lab.sh(pod, 'stat -c %u:%g /home/dev/folder /home/dev/folder/file')).toBe(
      '1000:1000\n1000:1000\n',
    )
  })

  test('uid 1000: a folder that it may not write is said by path and uid, and nothing is written', async () => {
    const { pod, code, stderr } = await once('uid1000', '/app')
    expect(code).not.toBe(0)
    expect(stderr).toContain('/app')
    expect(stderr).toContain('uid 1000')
    expect(await lab.sh(pod, 'ls /app')).not.toContain('program')
  })

  test('nothing but a static program: no shell, no tar', async () => {
    const { code } = await once('static', '/data/folder')
    expect(code).toBe(0)
    const files = await laptop.did('files', '-n', lab.namespace, '-l', 'app=static', '/data/folder')
    expect(files).toMatch(/file/)
    expect(files).toMatch(/program/)
  })

  test('a read-only root: the writable volume is synced', async () => {
    const { pod, code } = await once('readonly', '/data')
    expect(code).toBe(0)
    expect(await listRemote(lab, pod, { path: '/data' })).toEqual(listLocal(folder))
  })

  test('a read-only root: elsewhere it says that the filesystem is read-only', async () => {
    const { code, stderr } = await once('readonly', '/srv/new')
    expect(code).not.toBe(0)
    expect(stderr).toContain('/srv/new')
    expect(stderr).toMatch(/read-only/)
  })

  test('two containers: the one that is named is synced, the other is not', async () => {
    const { pod, code } = await once('two', '/folder', '--container', 'other')
    expect(code).toBe(0)
    expect(await listRemote(lab, pod, { path: '/folder', container: 'other' })).toEqual(listLocal(folder))
    await expect(lab.sh(pod, 'ls /folder', 'one')).rejects.toThrow(/No such file/)
  })

  test('two containers: a name that is not there is an error that lists those that are', async () => {
    const { code, stderr } = await once('two', '/folder', '--container', 'third')
    expect(code).not.toBe(0)
    expect(stderr).toContain('one')
    expect(stderr).toContain('other')
  })

  test('a volume in memory', async () => {
    const { pod, code } = await once('memory', '/data')
    expect(code).toBe(0)
    expect(await listRemote(lab, pod, { path: '/data' })).toEqual(listLocal(folder))
  })
})
