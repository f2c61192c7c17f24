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
import {
  become,
  type Ids,
  mountOf,
  mountsBelow,
  openContainer,
  parseMounts,
  parseStatus,
  storageOf,
} from './container.ts'

test('the ids a process acts with are its effective ones', () => {
  const status =
    'Name:\tnode\nUmask:\t0027\nUid:\t0\t1000\t0\t1000\nGid:\t0\t1001\t0\t1001\nGroups:\t4 27 1001 \n'
  expect(parseStatus(status)).toEqual({ uid: 1000, gid: 1001, groups: [4, 27, 1001], umask: 0o27 })
})

test('a process without groups or a umask line', () => {
  expect(parseStatus('Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t \nNStgid:\t7\n')).toEqual({
    uid: 0,
    gid: 0,
    groups: [],
    umask: 0o22,
  })
})

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

describe('taking a container’s ids', () => {
  /** A process with ids, and the steps that it took. */
  function processWith({ uid, gid, groups }: { uid: number; gid: number; groups: number[] }) {
    const steps: string[] = []
    const ids: Ids = {
      getuid: () => uid,
      geteuid: () => uid,
      getgid: () => gid,
      getegid: () => gid,
      getgroups: () => groups,
      setuid: (id) => void steps.push(`setuid ${id}`),
      setgid: (id) => void steps.push(`setgid ${id}`),
      setgroups: (list) => void steps.push(`setgroups ${list}`),
      umask: (mask) => steps.push(`umask ${mask.toString(8)}`),
    }
    return { ids, steps }
  }
  const root = { uid: 0, gid: 0, groups: [0] }
  const user = { uid: 1000, gid: 1000, groups: [4, 1000] }

  test('groups go first, while there is still the right to change them', () => {
    const { ids, steps } = processWith(root)
    become({ uid: 1000, gid: 1001, groups: [27], umask: 0o27 }, ids)
    expect(steps).toEqual(['setgroups 27', 'setgid 1001', 'setuid 1000', 'umask 27'])
  })

  test('nothing is asked of the kernel that would change nothing', () => {
    const { ids, steps } = processWith(user)
    become({ uid: 1000, gid: 1000, groups: [4], umask: 0o22 }, ids)
    expect(steps).toEqual(['umask 22'])
  })

  test.each([
    ['other groups', { ...user, groups: [4] }, ['setgroups 4,27']],
    [
      'another group id, whose old one is among the groups',
      { ...user, gid: 27 },
      ['setgroups 4,27', 'setgid 1000'],
    ],
    ['another user', { ...user, uid: 0, groups: [4, 27] }, ['setuid 1000']],
  ])('%s', (_, before, expected) => {
    const { ids, steps } = processWith(before)
    become({ uid: 1000, gid: 1000, groups: [4, 27], umask: 0o22 }, ids)
    expect(steps).toEqual([...expected, 'umask 22'])
  })
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
