import { expect, test } from 'vitest'
import { mountsBelow, parseMounts, parseStatus } from './container.ts'

test('the ids a process acts with are its effective ones', () => {
  const status =
    'Name:\tnode\nUmask:\t0027\nUid:\t0\t1000\t0\t1000\nGid:\t0\t1001\t0\t1001\nGroups:\t4 27 1001 \n'
  expect(parseStatus(status)).toEqual({ uid: 1000, gid: 1001, groups: [4, 27, 1001], umask: 0o27 })
})

test('a process without groups or a umask line', () => {
  expect(parseStatus('Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t \n')).toEqual({
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
