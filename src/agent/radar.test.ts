import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { bareContainerId, belongsTo, findContainer, isAlive, podUidIn } from './radar.ts'

const id = '3f6c2a'.padEnd(64, '0')
const other = '9'.repeat(64)

describe('a container’s id', () => {
  test.each([
    [`containerd://${id}`, id],
    [`cri-o://${id}`, id],
    [id, id],
    ['containerd://../../etc', undefined],
    ['containerd://', undefined],
    ['', undefined],
  ])('%s', (text, expected) => {
    expect(bareContainerId(text)).toBe(expected)
  })
})

describe('cgroup paths', () => {
  test.each([
    ['cgroup v1', `12:cpu:/kubepods/besteffort/pod1-2/${id}\n1:name=systemd:/kubepods/pod1-2/${id}`],
    ['cgroup v2 seen from another cgroup namespace', `0::/../../pod1/${id}`],
    ['systemd driver, containerd', `0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-${id}.scope`],
    ['systemd driver, CRI-O', `0::/kubepods.slice/crio-${id}.scope`],
    ['containerd without a driver', `0::/system.slice/containerd.service/kubepods-pod1:cri-containerd:${id}`],
    ['a cgroup of the container’s own', `0::/kubepods/pod1/${id}/init.scope`],
  ])('%s', (_, cgroup) => {
    expect(belongsTo(cgroup, id)).toBe(true)
    expect(belongsTo(cgroup, other)).toBe(false)
  })

  test('a part of an id is no id', () => {
    expect(belongsTo(`0::/kubepods/pod1/${id}`, id.slice(0, 12))).toBe(false)
  })
})

describe('finding a container', () => {
  let proc: string
  beforeEach(() => {
    proc = mkdtempSync(join(tmpdir(), 'kubesync-proc-'))
  })
  afterEach(() => rmSync(proc, { recursive: true }))

  function addProcess(pid: number, options: { startTime: number; container: string; state?: string }) {
    mkdirSync(join(proc, String(pid)), { recursive: true })
    writeFileSync(join(proc, `${pid}/cgroup`), `0::/kubepods/pod1/${options.container}\n`)
    const before = `${pid} (a) name) ${options.state ?? 'S'} `
    writeFileSync(join(proc, `${pid}/stat`), `${before}${'0 '.repeat(18)}${options.startTime} 0`)
  }

  test('its first process is the one that started first, not the one with the lowest id', () => {
    addProcess(500, { startTime: 100, container: id })
    addProcess(20, { startTime: 300, container: id })
    addProcess(7, { startTime: 1, container: other })
    expect(findContainer(`containerd://${id}`, proc)).toEqual({ pid: 500, startTime: 100 })
  })

  test('a zombie is no container', () => {
    addProcess(500, { startTime: 100, container: id, state: 'Z' })
    expect(findContainer(id, proc)).toBeUndefined()
  })

  test('another process with the same id is not the one that was found', () => {
    addProcess(500, { startTime: 100, container: id })
    const found = findContainer(id, proc)
    if (found === undefined) throw new Error('not found')
    expect(isAlive(found, proc)).toBe(true)
    addProcess(500, { startTime: 101, container: id })
    expect(isAlive(found, proc)).toBe(false)
  })
})

test.each([
  ['cgroupfs', '0::/kubepods/burstable/pod0f1e2d3c-aaaa-bbbb-cccc-0123456789ab/0123456789abcdef'],
  [
    'systemd',
    '0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0f1e2d3c_aaaa_bbbb_cccc_0123456789ab.slice/cri-containerd-0123456789abcdef.scope',
  ],
])('a cgroup says which pod a container belongs to (%s)', (_, cgroup) => {
  expect(podUidIn(cgroup)).toBe('0f1e2d3c-aaaa-bbbb-cccc-0123456789ab')
})

test.each([['0::/k8s.io/0123456789abcdef'], ['0::/../0123456789abcdef'], [undefined]])(
  'where a cgroup does not say it, nobody knows: %j',
  (cgroup) => {
    expect(podUidIn(cgroup)).toBeUndefined()
  },
)
