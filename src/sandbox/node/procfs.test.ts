import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { TestNode } from './testing.ts'

let lab: TestNode
let proc: string
beforeEach(() => {
  lab = new TestNode()
  proc = join(realpathSync(lab.dataDir), 'proc')
})
afterEach(() => lab.close())

const volume = { volumes: [{ name: 'data', emptyDir: {} }] }
const container = (script: string) => ({
  ...{ name: 'app', image: 'app:1', command: ['sh', '-c', script] },
  volumeMounts: [{ name: 'data', mountPath: '/my data' }],
})

/** The mounts of the only process that is shown: identity and place of each. */
function mounts() {
  const [pid = ''] = readdirSync(proc)
  const lines = readFileSync(join(proc, pid, 'mountinfo'), 'utf8')
    .trim()
    .split('\n')
  return lines.map((line) => {
    const [id, , device, , mountPoint, , , type, source] = line.split(' ')
    return { id, device, mountPoint, type, source }
  })
}

test.runIf(process.platform === 'linux')(
  'a container’s first process is shown as on a node with isolation',
  async () => {
    lab.pod('a', { containers: [container('sleep 600')], ...volume })
    const pod = await lab.until('a', ({ phase }) => phase === 'Running')
    const [pid = ''] = readdirSync(proc)
    const read = (name: string) => readFileSync(join(proc, pid, name), 'utf8')
    const id = JSON.stringify(pod).match(/sandbox:\/\/([0-9a-f]{64})/)?.[1]
    expect(read('cgroup')).toBe(`0::/sandbox/pod${pod.metadata.uid}/${id}\n`)
    expect(read('stat')).toBe(readFileSync(`/proc/${pid}/stat`, 'utf8'))
    expect(read('status')).toContain(`Pid:\t${pid}`)
    const root = realpathSync(join(proc, pid, 'root'))
    expect(readdirSync(root)).toEqual(['my data'])
    expect(mounts()).toEqual([
      {
        id: expect.stringMatching(/^\d+$/),
        device: expect.anything(),
        mountPoint: '/',
        type: 'sandbox',
        source: id,
      },
      {
        ...{ id: mounts()[0]?.id, device: '0:0', mountPoint: `${root}/my\\040data` },
        ...{ type: 'sandbox', source: `${pod.metadata.uid}/data` },
      },
    ])
  },
)

test.runIf(process.platform === 'linux')(
  'after a restart the root is another, the volume is the same, and nothing old is shown',
  async () => {
    lab.pod('a', { containers: [container('sleep 600')], ...volume })
    await lab.until('a', ({ phase }) => phase === 'Running')
    const before = mounts()
    lab.node.killContainer('default', 'a', 'app')
    await lab.until('a', ({ containerStatuses }) => {
      const status = containerStatuses?.[0]
      return status?.restartCount === 1 && status.state.running !== undefined
    })
    const after = mounts()
    expect(after[0]?.device).not.toBe(before[0]?.device)
    expect(after[1]).toMatchObject({ source: before[1]?.source, device: before[1]?.device })
    lab.delete('a', 0)
    await lab.gone('a')
    expect(readdirSync(proc)).toEqual([])
  },
)

test.runIf(process.platform === 'linux')('only pods with hostPID are told where', async () => {
  const tells = { ...container('echo $HOST_PROC > told; sleep 600') }
  lab.pod('a', { containers: [tells], ...volume, hostPID: true })
  lab.pod('b', { containers: [tells], ...volume })
  for (const [name, expected] of [
    ['a', `${proc}\n`],
    ['b', '\n'],
  ] as const) {
    const { metadata } = await lab.until(name, ({ phase }) => phase === 'Running')
    const file = join(lab.dataDir, 'pods', metadata.uid ?? '', 'app/0/root/told')
    await expect.poll(() => readFileSync(file, 'utf8')).toBe(expected)
  }
})
