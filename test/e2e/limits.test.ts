import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { useLab } from './support/cluster.ts'
import { Laptop } from './support/ksync.ts'
import { canMount, testWith } from './support/place.ts'
import { listLocal, listRemote } from './support/trees.ts'
import { until } from './support/until.ts'

const lab = useLab('limits')
const mounted: string[] = []
let laptop: Laptop

beforeEach(() => {
  laptop = new Laptop()
  laptop.hasRunInit()
})
afterEach(async () => {
  for (const folder of mounted.splice(0)) spawnSync('umount', ['-l', folder])
  await laptop.remove()
})

/** Waits until `get` tells of a problem in these words. */
function told(words: RegExp): Promise<string> {
  return until(`get says ${words}`, () => laptop.did('get'), {
    holds: (said) => words.test(said),
  })
}

async function create(pod: string, folder: string, remote: string): Promise<void> {
  await laptop.did('create', '--name', 'it', '--pod', pod, '-n', lab.namespace, folder, remote)
  await laptop.watch()
  await laptop.inSync('it', 1)
}

/** Both sides hold the same, and `get` has nothing to complain of. */
async function whole(pod: string, folder: string, remote: string): Promise<void> {
  await until(
    'both hold the same',
    () => listRemote(lab, pod, { path: remote.startsWith('/home') ? remote : remote.slice(1) }),
    {
      // A volume has its trash on itself.
      holds: (there) =>
        there.join() ===
        listLocal(folder)
          .filter((line) => !line.includes('.kubesync-trash'))
          .join(),
    },
  )
  await until('nothing is wrong', () => laptop.sessions('it'), {
    holds: ([bound]) => bound?.session?.problems.length === 0,
  })
}

describe.runIf(canMount())('a folder here on a small volume', () => {
  beforeAll(() => lab.deploy('plain'))

  function volume(): { folder: string; remount(options: string): void } {
    const folder = laptop.folder('volume')
    const mount = (options: string) => {
      expect(spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]).status).toBe(0)
    }
    mount('size=1m')
    mounted.push(folder)
    return { folder, remount: (options) => mount(`remount,${options}`) }
  }

  test('that is full: it is said, by side and path, and all arrives once there is room', async () => {
    const { folder, remount } = volume()
    await create('plain', folder, '/full')
    await lab.sh('plain', 'for i in 0 1 2 3 4 5 6 7 8 9; do head -c 300000 /dev/urandom >full/f$i; done')
    expect(await told(/more changes wait/)).toMatch(/\(local\): f\d .*no space is left/)
    await lab.sh('plain', 'rm full/f0')
    writeFileSync(join(folder, 'here'), '')
    await until('what goes the other way still does', () => lab.sh('plain', 'ls full'), {
      holds: (names) => names.includes('here'),
    })
    remount('size=8m')
    await whole('plain', folder, '/full')
  })

  test('that turns read-only: it is said, and goes on when it may be written again', async () => {
    const { folder, remount } = volume()
    writeFileSync(join(folder, 'file'), 'old')
    await create('plain', folder, '/read-only')
    remount('ro')
    await lab.sh('plain', 'echo new >read-only/file')
    await told(/file \(local\): .*read-only/)
    remount('rw')
    await whole('plain', folder, '/read-only')
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('new\n')
  })
})

describe('a folder in the container', () => {
  testWith('images', 'users')(
    'that its user may not write any more: it is said, and goes on when it may be',
    async () => {
      const pod = 'uid1000'
      const folder = laptop.folder('folder')
      await lab.deploy(pod)
      await create(pod, folder, '/home/dev/closed')
      await lab.sh(pod, 'chmod 555 /home/dev/closed')
      writeFileSync(join(folder, 'file'), 'x')
      await told(/file \(remote\): .*uid 1000 has no permission/)
      await lab.sh(pod, 'chmod 755 /home/dev/closed')
      await whole(pod, folder, '/home/dev/closed')
    },
  )

  test('that becomes a file: it halts, nothing is lost, and goes on when it is a folder again', async () => {
    const folder = laptop.folder('folder')
    writeFileSync(join(folder, 'file'), 'x')
    await lab.deploy('plain')
    await create('plain', folder, '/changed')
    await lab.sh('plain', 'mv changed aside && echo x >changed')
    await until('it is halted', () => laptop.sessions('it'), {
      holds: ([bound]) => bound?.session?.phase === 'halted',
    })
    expect(listLocal(folder)).toHaveLength(1)
    expect(await lab.sh('plain', 'cat changed')).toBe('x\n')
    await lab.sh('plain', 'rm changed && mv aside changed')
    await whole('plain', folder, '/changed')
    await laptop.inSync('it', 1)
  })
})
