import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { at } from '../object.ts'
import { reapNode } from './node.ts'
import { statusOf, TestNode } from './testing.ts'

let lab: TestNode
beforeEach(() => {
  lab = new TestNode()
})
afterEach(() => lab.close())

const forever = ['sh', '-c', 'while :; do sleep 60; done']
const container = (command: readonly string[], rest: object = {}) => ({
  name: 'app',
  image: 'app:1',
  command,
  ...rest,
})
/** Whether a process runs, and is not one that ended and that nobody asked after. */
function runs(pid: number): boolean {
  try {
    return (
      execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
        .trim()
        .startsWith('Z') === false
    )
  } catch {
    return false
  }
}

const first = (pod: Parameters<typeof statusOf>[0]) => statusOf(pod).containerStatuses?.[0]

test('a node registers as ready, with its host name, system and CPU as labels', () => {
  const node = lab.store.get('nodes', { name: 'node-1' })
  expect(at(node, 'metadata', 'labels')).toMatchObject({ 'kubernetes.io/hostname': 'node-1' })
  expect(at(node, 'status', 'conditions')).toMatchObject([{ type: 'Ready', status: 'True' }])
})

describe('a pod', () => {
  test('runs: every condition is true, and it has an address of its own', async () => {
    lab.pod('a', { containers: [container(forever)] })
    const pod = await lab.until('a', ({ phase }) => phase === 'Running')
    const status = statusOf(pod)
    expect(status.conditions?.map(({ type, status }) => [type, status])).toEqual([
      ['PodReadyToStartContainers', 'True'],
      ['Initialized', 'True'],
      ['Ready', 'True'],
      ['ContainersReady', 'True'],
      ['PodScheduled', 'True'],
    ])
    expect(first(pod)).toMatchObject({ ready: true, started: true, restartCount: 0 })
    expect(first(pod)?.containerID).toMatch(/^sandbox:\/\/[0-9a-f]{64}$/)
    expect(status.podIP).toMatch(/^127\./)
  })

  test('succeeds when all its containers do and none is to run again', async () => {
    lab.pod('a', { restartPolicy: 'Never', containers: [container(['true'])] })
    const pod = await lab.until('a', ({ phase }) => phase === 'Succeeded')
    expect(first(pod)?.state.terminated).toMatchObject({ exitCode: 0, reason: 'Completed' })
    expect(statusOf(pod).conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      reason: 'PodCompleted',
    })
  })

  test('fails with its container, whose last words are told', async () => {
    const script = 'echo it broke >&2; exit 3'
    const talking = container(['sh', '-c', script], { terminationMessagePolicy: 'FallbackToLogsOnError' })
    lab.pod('a', { restartPolicy: 'Never', containers: [talking] })
    const pod = await lab.until('a', ({ phase }) => phase === 'Failed')
    expect(first(pod)?.state.terminated).toMatchObject({
      exitCode: 3,
      reason: 'Error',
      message: 'it broke\n',
    })
  })

  test('a signal is told as a shell tells it', async () => {
    lab.pod('a', { restartPolicy: 'Never', containers: [container(['sh', '-c', 'kill -9 $$$$'])] })
    expect(first(await lab.until('a', ({ phase }) => phase === 'Failed'))?.state.terminated?.exitCode).toBe(
      137,
    )
  })

  test('a program that is not there is a start error', async () => {
    lab.pod('a', { restartPolicy: 'Never', containers: [container(['no-such-program'])] })
    const ended = first(await lab.until('a', ({ phase }) => phase === 'Failed'))?.state.terminated
    expect(ended).toMatchObject({ exitCode: 128, reason: 'StartError' })
    expect(ended?.message).toContain('exec: "no-such-program": executable file not found in $PATH')
  })

  test('without a command there is nothing to run: its image cannot be pulled', async () => {
    lab.pod('a', { containers: [{ name: 'app', image: 'nginx' }] })
    const pod = await lab.until(
      'a',
      ({ containerStatuses }) => containerStatuses?.[0]?.state.waiting?.reason === 'ErrImagePull',
    )
    expect(statusOf(pod).phase).toBe('Pending')
    expect(first(pod)?.state.waiting?.message).toContain('give the container a command')
  })

  test('init containers run one after the other before all others', async () => {
    const step = (name: string, script: string) => ({
      ...{ name, image: 'app:1', command: ['sh', '-c', script] },
      volumeMounts: [{ name: 'shared', mountPath: '/shared' }],
    })
    lab.pod('a', {
      restartPolicy: 'Never',
      initContainers: [step('one', 'echo 1 >> shared/steps'), step('two', 'echo 2 >> shared/steps')],
      containers: [step('app', '[ "$(tr -d "\\n" < shared/steps)" = 12 ]')],
      volumes: [{ name: 'shared', emptyDir: {} }],
    })
    const pod = await lab.until('a', ({ phase }) => phase === 'Succeeded' || phase === 'Failed')
    expect(statusOf(pod).phase).toBe('Succeeded')
    expect(statusOf(pod).initContainerStatuses?.map(({ ready }) => ready)).toEqual([true, true])
  })

  test('an init container that fails for good fails the pod', async () => {
    lab.pod('a', {
      restartPolicy: 'Never',
      initContainers: [{ name: 'one', image: 'app:1', command: ['false'] }],
      containers: [container(forever)],
    })
    const pod = await lab.until('a', ({ phase }) => phase === 'Failed')
    expect(first(pod)?.state.waiting?.reason).toBe('PodInitializing')
  })
})

describe('a restarted container', () => {
  test('has a fresh directory, its volumes as they were, and is told of', async () => {
    const script =
      'ls; ls data; echo x > left; echo x > data/left; [ -e data/again ] && exec sleep 60; touch data/again; exit 1'
    lab.pod('a', {
      containers: [container(['sh', '-c', script], { volumeMounts: [{ name: 'data', mountPath: '/data' }] })],
      volumes: [{ name: 'data', emptyDir: {} }],
    })
    const pod = await lab.until('a', ({ containerStatuses }) => {
      const status = containerStatuses?.[0]
      return status?.restartCount === 1 && status.state.running !== undefined
    })
    expect(first(pod)?.lastState.terminated).toMatchObject({ exitCode: 1 })
    expect(first(pod)?.lastState.terminated?.containerID).not.toBe(first(pod)?.containerID)
    const root = join(lab.dataDir, 'pods', pod.metadata.uid ?? '', 'app/1/root')
    await expect.poll(() => readdirSync(root)).toEqual(['data', 'left'])
    expect(readdirSync(join(root, 'data')).sort()).toEqual(['again', 'left'])
  })

  test('that ends again has to wait', async () => {
    lab.pod('a', { containers: [container(['false'])] })
    const pod = await lab.until(
      'a',
      ({ containerStatuses }) => containerStatuses?.[0]?.state.waiting?.reason === 'CrashLoopBackOff',
    )
    expect(first(pod)?.restartCount).toBe(1)
    expect(first(pod)?.state.waiting?.message).toBe(
      `back-off 10s restarting failed container=app pod=a_default(${pod.metadata.uid})`,
    )
    expect(statusOf(pod).phase).toBe('Running')
  })
})

describe('the end of a pod', () => {
  test('comes with SIGTERM, and with SIGKILL for what does not heed it; nothing is left', async () => {
    lab.pod('polite', {
      containers: [container(['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.01; done'])],
    })
    lab.pod('deaf', { containers: [container(['sh', '-c', 'trap "" TERM; while :; do sleep 0.01; done'])] })
    await lab.until('polite', ({ phase }) => phase === 'Running')
    const deaf = await lab.until('deaf', ({ phase }) => phase === 'Running')
    lab.delete('polite', 60)
    await lab.gone('polite')
    lab.delete('deaf', 0.2)
    await lab.gone('deaf')
    expect(existsSync(join(lab.dataDir, 'pods', deaf.metadata.uid ?? ''))).toBe(false)
    expect(readdirSync(join(lab.dataDir, 'processes'))).toEqual([])
  })

  test('a second, shorter time holds', async () => {
    lab.pod('deaf', { containers: [container(['sh', '-c', 'trap "" TERM; while :; do sleep 0.01; done'])] })
    await lab.until('deaf', ({ phase }) => phase === 'Running')
    lab.delete('deaf', 3600)
    lab.delete('deaf', 0)
    await lab.gone('deaf')
  })

  test.runIf(process.platform === 'linux')('takes along what left its group', async () => {
    const script = `setsid sh -c 'echo $$$$ > pid; while :; do sleep 60; done' & wait`
    const pod = lab.pod('a', { containers: [container(['sh', '-c', script])] })
    await lab.until('a', ({ phase }) => phase === 'Running')
    const told = join(lab.dataDir, 'pods', pod.metadata.uid ?? '', 'app/0/root/pid')
    await expect.poll(() => existsSync(told) && readFileSync(told, 'utf8')).toMatch(/^\d+\n/)
    const pid = Number(readFileSync(told, 'utf8'))
    lab.delete('a', 0)
    await lab.gone('a')
    await expect.poll(() => runs(pid)).toBe(false)
  })
})

test('what a killed sandbox left is reaped by its records', async () => {
  const pod = lab.pod('a', {
    containers: [container(['sh', '-c', 'trap "" TERM; while :; do sleep 0.01; done'])],
  })
  await lab.until('a', ({ phase }) => phase === 'Running')
  const [pid] = readdirSync(join(lab.dataDir, 'processes'))
  expect(pid).toBeDefined()
  reapNode(lab.dataDir)
  expect(existsSync(join(lab.dataDir, 'pods', pod.metadata.uid ?? ''))).toBe(false)
  await expect.poll(() => runs(Number(pid))).toBe(false)
})

describe('health', () => {
  const period = { periodSeconds: 0.05, timeoutSeconds: 5 }
  const file = (name: string) => ({ exec: { command: ['test', '-e', name] }, ...period })
  const touch = (name: string) => {
    const uid = lab.get('a')?.metadata.uid ?? ''
    writeFileSync(join(lab.dataDir, 'pods', uid, 'app/0/root', name), '')
  }

  test('a container is ready while its readiness probe succeeds, and the others wait for the startup probe', async () => {
    const probes = {
      startupProbe: { ...file('started'), failureThreshold: 1000 },
      readinessProbe: file('ready'),
    }
    lab.pod('a', { containers: [container(forever, probes)] })
    await lab.until('a', ({ phase }) => phase === 'Running')
    touch('ready')
    expect(first(await lab.until('a', () => true))).toMatchObject({ started: false, ready: false })
    touch('started')
    const ready = await lab.until('a', ({ containerStatuses }) => containerStatuses?.[0]?.ready === true)
    expect(first(ready)?.started).toBe(true)
  })

  test('a container whose liveness probe fails is started again', async () => {
    lab.pod('a', {
      terminationGracePeriodSeconds: 0.05,
      containers: [container(forever, { livenessProbe: { ...file('alive'), failureThreshold: 2 } })],
    })
    const pod = await lab.until('a', ({ containerStatuses }) => containerStatuses?.[0]?.restartCount === 1)
    expect(first(pod)?.lastState.terminated?.exitCode).toBe(143)
  })

  test('a new image means a new container', async () => {
    lab.pod('a', { terminationGracePeriodSeconds: 0.05, containers: [container(forever)] })
    await lab.until('a', ({ phase }) => phase === 'Running')
    lab.writer.change({ resource: 'pods', namespace: 'default', name: 'a' }, (pod) => ({
      ...pod,
      spec: { ...(pod.spec as object), containers: [container(forever, { image: 'app:2' })] },
    }))
    const pod = await lab.until('a', ({ containerStatuses }) => containerStatuses?.[0]?.restartCount === 1)
    expect(first(pod)).toMatchObject({ image: 'app:2' })
  })
})
