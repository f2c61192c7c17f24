import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { mountOf, mountsBelow, openContainer, parseMounts, storageOf } from './container.ts'

test('mounts, with optional fields and escaped names', () => {
  const info = [
    '1 0 0:73 / / rw,relatime master:5 - overlay overlay rw,lowerdir=/a',
    '2 1 254:0 /var/lib/pods/x/my\\040volume /data rw shared:1 master:2 - ext4 /dev/vda rw',
  ].join('\n')
  expect(parseMounts(`${info}\n`)).toEqual([
    { id: 1, device: '0:73', root: '/', mountPoint: '/', type: 'overlay', source: 'overlay' },
    {
      id: 2,
      device: '254:0',
      root: '/var/lib/pods/x/my volume',
      mountPoint: '/data',
      type: 'ext4',
      source: '/dev/vda',
    },
  ])
})

test('what is mounted below a directory, and neither at it nor beside it', () => {
  const mounts = ['/', '/app', '/app/data', '/app/data/deep', '/application', '/proc'].map((mountPoint) => ({
    ...{ id: 1, device: '0:1', root: '/', type: 'ext4', source: 'x' },
    mountPoint,
  }))
  expect(mountsBelow('/app', [...mounts, ...mounts])).toEqual(['data', 'data/deep'])
  expect(mountsBelow('/', mounts)).toEqual(['app', 'app/data', 'app/data/deep', 'application', 'proc'])
  expect(mountsBelow('/srv', mounts)).toEqual([])
})

describe('the mount of a directory', () => {
  const mount = (id: number, mountPoint: string) => ({
    ...{ id, mountPoint, device: '0:1', root: '/', type: 'ext4', source: 'x' },
  })

  test('is the one with its id, wherever that is mounted', () => {
    const mounts = [mount(1, '/'), mount(2, '/data')]
    expect(mountOf('/data/sub', 2, mounts)).toBe(mounts[1])
    expect(mountOf('/moved', 2, mounts)).toBe(mounts[1])
    expect(mountOf('/data', 3, mounts)).toBeUndefined()
  })

  test('of several with one id it is the innermost', () => {
    const mounts = [mount(1, '/'), mount(1, '/r/data'), mount(1, '/r/data/deep')]
    expect(mountOf('/r/data/deep/x', 1, mounts)).toBe(mounts[2])
    expect(mountOf('/r/data', 1, mounts)).toBe(mounts[1])
    expect(mountOf('/r/database', 1, mounts)).toBe(mounts[0])
  })
})

test.runIf(process.platform === 'linux')('a container that is shown elsewhere than in /proc', () => {
  const lab = mkdtempSync(join(tmpdir(), 'kubesync-container-'))
  const root = join(lab, 'root')
  const shown = join(lab, 'proc/4711')
  mkdirSync(join(root, 'data'), { recursive: true })
  mkdirSync(shown, { recursive: true })
  symlinkSync(root, join(shown, 'root'))
  symlinkSync('/proc/self/status', join(shown, 'status'))
  writeFileSync(join(shown, 'cgroup'), '0::/sandbox/0123456789abcdef\n')
  const fd = openSync(join(root, 'data'), constants.O_RDONLY | constants.O_DIRECTORY)
  const id = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]
  const lines = [
    `${id} 0 7:7 / / rw - sandbox x`,
    `${id} 0 0:0 / ${join(root, 'data')} rw - sandbox pod/volume`,
  ]
  writeFileSync(join(shown, 'mountinfo'), lines.join('\n'))
  const at = { process: { pid: 4711, startTime: 1 }, proc: join(lab, 'proc') }
  try {
    const container = openContainer({ ...at, containerId: '0123456789abcdef' })
    expect(container.credentials.uid).toBe(process.geteuid?.())
    expect(storageOf(container.root, container)).toMatchObject({
      kind: 'container',
      id: '7:7',
      volumes: ['data'],
    })
    expect(storageOf(fd, container)).toEqual({ kind: 'volume', id: 'sandbox pod/volume 0:0 /' })
    closeSync(container.root)
    expect(() => openContainer({ ...at, containerId: 'fedcba9876543210' })).toThrow(/ended/)
  } finally {
    closeSync(fd)
    rmSync(lab, { recursive: true })
  }
})
