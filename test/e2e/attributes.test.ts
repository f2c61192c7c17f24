import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { useLab } from './support/cluster.ts'
import { useLaptop } from './support/ksync.ts'
import { mirrorsOf } from './support/memory.ts'
import { place, testWith } from './support/place.ts'
import { until } from './support/until.ts'

const lab = useLab('attributes')
const laptop = useLaptop()

function once(pod: string, local: string, remote: string, ...flags: string[]) {
  return laptop.ksync('run', '--once', '-n', lab.namespace, '--pod', pod, ...flags, local, remote)
}

beforeAll(async () => {
  laptop.hasRunInit()
  await lab.deploy('plain')
})

describe('what is new in a container', () => {
  function tree(name: string): string {
    const folder = laptop.folder(name)
    mkdirSync(join(folder, 'd'))
    writeFileSync(join(folder, 'd', 'file'), 'x')
    writeFileSync(join(folder, 'program'), '#!/bin/sh\n', { mode: 0o755 })
    return folder
  }

  testWith('images', 'users')(
    'belongs to whom it is to, with the permissions that it is to have',
    async () => {
      const flags = ['--owner', '1234:5678', '--file-mode', '640', '--dir-mode', '750']
      expect((await once('plain', tree('owned'), '/owned', ...flags)).code).toBe(0)
      expect(await lab.sh('plain', 'cd /owned && stat -c "%n %u:%g %a" d d/file program')).toBe(
        'd 1234:5678 750\nd/file 1234:5678 640\nprogram 1234:5678 750\n',
      )
    },
  )

  test('has the permissions that it is to have', async () => {
    const flags = ['--file-mode', '600', '--dir-mode', '711']
    expect((await once('plain', tree('modes'), '/modes', ...flags)).code).toBe(0)
    expect(await lab.sh('plain', 'cd modes && stat -c "%n %a" d d/file program')).toBe(
      'd 711\nd/file 600\nprogram 700\n',
    )
  })

  testWith('images', 'users')(
    'belongs to its user where that may not give it away, which is said',
    async () => {
      await lab.deploy('uid1000')
      const { code, stderr } = await once('uid1000', tree('kept'), '/home/dev/kept', '--owner', '1234')
      expect(code).toBe(1)
      expect(stderr).toContain('uid 1000 may not give files to uid 1234')
      expect(await lab.sh('uid1000', 'cat /home/dev/kept/d/file; stat -c %u /home/dev/kept/d/file')).toBe(
        'x1000\n',
      )
    },
  )
})

test('symlinks: raw ones arrive as they are, and with `ignore` none', async () => {
  const folder = laptop.folder('links')
  symlinkSync('/etc/hostname', join(folder, 'absolute'))
  symlinkSync('file', join(folder, 'good'))
  writeFileSync(join(folder, 'file'), 'x')
  linkSync(join(folder, 'file'), join(folder, 'same'))
  expect((await once('plain', folder, '/raw', '--symlinks', 'raw')).code).toBe(0)
  expect(await lab.sh('plain', 'readlink raw/absolute; readlink raw/good; cat raw/file raw/same')).toBe(
    '/etc/hostname\nfile\nxx',
  )
  expect((await once('plain', folder, '/none', '--symlinks', 'ignore')).code).toBe(0)
  expect(await lab.sh('plain', 'ls none')).toBe('file\nsame\n')
})

test('an agent killed while it writes leaves nothing that the next start does not remove', async () => {
  const folder = laptop.folder('large')
  for (let index = 0; index < 300; index++) writeFileSync(join(folder, `f${index}`), 'x'.repeat(50_000))
  const containerId = await lab.containerId('plain')
  const running = laptop.start('run', '-n', lab.namespace, '--pod', 'plain', folder, '/killed')
  await until('it writes', () => lab.sh('plain', 'ls killed 2>/dev/null | wc -l || true'), {
    holds: (count) => Number(count) > 0,
    every: 5,
  })
  const mirrors = mirrorsOf(containerId)
  for (const pid of mirrors) process.kill(pid, 'SIGKILL')
  if (place !== 'given') expect(mirrors).not.toEqual([])
  await running.kill('SIGKILL')
  await until('they are gone', () => mirrorsOf(containerId), { holds: (pids) => pids.length === 0 })
  const name = '.kubesync-tmp-4000000-0123456789abcdef-0'
  await lab.sh('plain', `echo half >killed/${name}; echo mine >killed/.kubesync-tmp-notes`)
  expect((await once('plain', folder, '/killed')).code).toBe(0)
  expect(await lab.sh('plain', 'ls -A killed | grep -c "^f"; ls -A killed | grep kubesync')).toBe(
    '300\n.kubesync-tmp-notes\n',
  )
})
