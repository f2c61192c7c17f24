import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { become, type Ids, parseStatus, whoRuns } from './ids.ts'

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

test('whose process it is, and that an agent with the same ids may look into it', () => {
  const directory = mkdtempSync(join(tmpdir(), 'kubesync-ids-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  writeFileSync(join(directory, 'status'), 'Uid:\t1\t1000\t1\t1000\nGid:\t1\t1001\t1\t1001\nGroups:\t\n')
  const ids: Ids = { ...process, geteuid: () => 1000, getegid: () => 1001, umask: () => 0 }
  expect(whoRuns(directory, ids)).toEqual({ uid: 1000, gid: 1001, within: true })
})
