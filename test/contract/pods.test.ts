import { describe, expect } from 'vitest'
import { at, text } from './support/json.ts'
import {
  condition,
  image,
  inPhase,
  isReady,
  logBecame,
  logOf,
  makePod,
  podIn,
  podSpec,
  runPod,
  shell,
  untilAsked,
} from './support/pods.ts'
import { exec } from './support/stream.ts'
import { client, needing, useNamespace } from './support/suite.ts'
import { became, gone, inTime, watch } from './support/watch.ts'

const space = useNamespace()
const runs = needing('nodes')
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)

describe.concurrent('a pod', () => {
  runs('runs on a node and tells its state', async () => {
    const pod = await runPod({ space, name: 'runs', spec: podSpec([shell(untilAsked)]) })
    expect(at(pod, 'spec', 'nodeName')).toEqual(expect.any(String))
    expect(pod.status).toMatchObject({
      phase: 'Running',
      qosClass: 'BestEffort',
      startTime: time,
      podIP: expect.any(String),
      hostIP: expect.any(String),
      containerStatuses: [
        {
          name: 'main',
          image,
          imageID: expect.any(String),
          containerID: expect.stringMatching(/^[a-z]+:\/\/[0-9a-f]{64}$/),
          ready: true,
          started: true,
          restartCount: 0,
          state: { running: { startedAt: time } },
        },
      ],
    })
    for (const type of ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready']) {
      expect(condition(pod, type)).toBe('True')
    }
  })

  runs('succeeds or fails with its command, if it is not to restart', async () => {
    const outcome = async (name: string, script: string, phase: string) => {
      await makePod({ space, name, spec: podSpec([shell(script)], { restartPolicy: 'Never' }) })
      const pod = await became(client, podIn(space, name), inPhase(phase))
      return at(pod, 'status', 'containerStatuses', 0, 'state', 'terminated')
    }
    const ended = { startedAt: time, finishedAt: time, containerID: expect.any(String) }
    expect(await outcome('succeeds', 'exit 0', 'Succeeded')).toMatchObject({
      exitCode: 0,
      reason: 'Completed',
      ...ended,
    })
    expect(await outcome('fails', 'exit 3', 'Failed')).toMatchObject({
      exitCode: 3,
      reason: 'Error',
      ...ended,
    })
  })

  runs('restarts a container in a fresh directory; a volume stays', async () => {
    const script = [
      'if [ -e seen ]; then echo stale; else echo fresh; fi; touch seen',
      'if [ -e state/second ]; then echo again; else touch state/second; exit 7; fi',
      untilAsked,
    ].join('\n')
    const container = shell(script, { volumeMounts: [{ name: 'state', mountPath: '/state' }] })
    const spec = podSpec([container], { volumes: [{ name: 'state', emptyDir: {} }] })
    await makePod({ space, name: 'restarts', spec })
    const pod = await became(
      client,
      podIn(space, 'restarts'),
      (pod) => isReady(pod) && at(pod, 'status', 'containerStatuses', 0, 'restartCount') === 1,
    )
    const status = at(pod, 'status', 'containerStatuses', 0)
    expect(status).toMatchObject({ lastState: { terminated: { exitCode: 7, reason: 'Error' } } })
    expect(at(status, 'lastState', 'terminated', 'containerID')).not.toBe(at(status, 'containerID'))
    await logBecame(space, 'restarts', { says: 'fresh\nagain\n' })
    expect(await logOf(space, 'restarts', 'previous=true')).toBe('fresh\n')
  })

  runs('that keeps failing is backed off', async () => {
    await makePod({ space, name: 'crashes', spec: podSpec([shell('exit 1')]) })
    const pod = await became(
      client,
      podIn(space, 'crashes'),
      (pod) => at(pod, 'status', 'containerStatuses', 0, 'state', 'waiting', 'reason') === 'CrashLoopBackOff',
    )
    expect(at(pod, 'status', 'phase')).toBe('Running')
    expect(condition(pod, 'Ready')).toBe('False')
  })

  runs('gets its environment from fields, ConfigMaps and Secrets', async () => {
    await client.create(space.path('configmaps'), { metadata: { name: 'env' }, data: { one: '1', two: '2' } })
    await client.create(space.path('secrets'), { metadata: { name: 'env' }, stringData: { secret: 's' } })
    const env = [
      { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'ONE', valueFrom: { configMapKeyRef: { name: 'env', key: 'one' } } },
      { name: 'SECRET', valueFrom: { secretKeyRef: { name: 'env', key: 'secret' } } },
      { name: 'BOTH', value: '$(NAME)-$(ONE) $$(NAME)' },
    ]
    const envFrom = [{ prefix: 'P_', configMapRef: { name: 'env' } }]
    const container = shell('echo "$NAME $ONE $SECRET $P_two $BOTH"', { env, envFrom })
    await makePod({ space, name: 'env', spec: podSpec([container], { restartPolicy: 'Never' }) })
    await became(client, podIn(space, 'env'), inPhase('Succeeded'))
    expect(await logOf(space, 'env')).toBe('env 1 s 2 env-1 $(NAME)\n')
  })

  runs('gets files from ConfigMaps and Secrets', async () => {
    await client.create(space.path('configmaps'), {
      metadata: { name: 'files' },
      data: { a: 'A\n', b: 'B\n' },
    })
    await client.create(space.path('secrets'), { metadata: { name: 'files' }, stringData: { s: 'S\n' } })
    const volumes = [
      { name: 'config', configMap: { name: 'files', items: [{ key: 'b', path: 'sub/b' }] } },
      { name: 'secret', secret: { secretName: 'files' } },
    ]
    const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/etc/${name}` }))
    const container = shell('cat etc/config/sub/b etc/secret/s', { volumeMounts })
    await makePod({ space, name: 'files', spec: podSpec([container], { volumes, restartPolicy: 'Never' }) })
    await became(client, podIn(space, 'files'), inPhase('Succeeded'))
    expect(await logOf(space, 'files')).toBe('B\nS\n')
  })

  runs('runs its init containers one after another before the others', async () => {
    const mounted = { volumeMounts: [{ name: 'work', mountPath: '/work' }] }
    const initContainers = [
      shell('echo one >> work/order', { ...mounted, name: 'one' }),
      shell('echo two >> work/order', { ...mounted, name: 'two' }),
    ]
    const volumes = [{ name: 'work', emptyDir: {} }]
    const containers = [shell('cat work/order', mounted)]
    await makePod({
      space,
      name: 'init',
      spec: podSpec(containers, { initContainers, volumes, restartPolicy: 'Never' }),
    })
    const pod = await became(client, podIn(space, 'init'), inPhase('Succeeded'))
    expect(await logOf(space, 'init')).toBe('one\ntwo\n')
    expect(at(pod, 'status', 'initContainerStatuses', 1, 'state', 'terminated', 'exitCode')).toBe(0)
  })

  runs('is ready when its probe says so', async () => {
    const readinessProbe = { exec: { command: ['sh', '-c', 'test -e ready'] }, periodSeconds: 1 }
    await makePod({ space, name: 'probed', spec: podSpec([shell(untilAsked, { readinessProbe })]) })
    const early = await became(client, podIn(space, 'probed'), inPhase('Running'))
    expect(condition(early, 'Ready')).toBe('False')
    expect(at(early, 'status', 'containerStatuses', 0, 'ready')).toBe(false)
    const path = `${space.path('pods')}/probed`
    await (await exec(client, { path, command: ['touch', 'ready'] })).ended
    await became(client, podIn(space, 'probed'), isReady)
  })

  runs('waits where its image cannot be had', async () => {
    const spec = podSpec([{ ...shell(untilAsked), image: 'registry.invalid/none:1' }])
    await makePod({ space, name: 'unpulled', spec })
    const reason = (pod: unknown) => at(pod, 'status', 'containerStatuses', 0, 'state', 'waiting', 'reason')
    const pod = await became(client, podIn(space, 'unpulled'), (pod) =>
      ['ErrImagePull', 'ImagePullBackOff'].includes(String(reason(pod))),
    )
    expect(at(pod, 'status', 'phase')).toBe('Pending')
  })

  runs('stays pending where no node fits', async () => {
    await makePod({
      space,
      name: 'nowhere',
      spec: podSpec([shell('exit')], { nodeSelector: { 'example.com/none': 'x' } }),
    })
    const pod = await became(
      client,
      podIn(space, 'nowhere'),
      (pod) => condition(pod, 'PodScheduled') === 'False',
    )
    expect(at(pod, 'status', 'conditions', 0)).toMatchObject({
      type: 'PodScheduled',
      reason: 'Unschedulable',
      message: expect.stringMatching(/^0\/\d+ nodes are available: /),
    })
    expect(at(pod, 'status', 'phase')).toBe('Pending')
  })

  runs('is asked to end, may say goodbye, and is gone then', async () => {
    const script = 'trap "echo bye; exit 0" TERM; echo hello; sleep 3600 & wait'
    const made = await runPod({
      space,
      name: 'ends',
      spec: podSpec([shell(script)], { terminationGracePeriodSeconds: 20 }),
    })
    const log = await client.open(`${space.path('pods')}/ends/log?follow=true`)
    const { code, body } = await client.delete(`${space.path('pods')}/ends`)
    expect(code).toBe(200)
    expect(body).toMatchObject({
      kind: 'Pod',
      metadata: { uid: made.metadata.uid, deletionTimestamp: time, deletionGracePeriodSeconds: 20 },
    })
    let said = ''
    for await (const chunk of log) said += chunk
    // An old runtime adds that the container is gone.
    expect(said).toMatch(/^hello\nbye\n/)
    await gone(client, podIn(space, 'ends'))
  })

  runs('that does not end when asked is killed after the grace period', async () => {
    await runPod({ space, name: 'stays', spec: podSpec([shell('trap "" TERM; while :; do sleep 1; done')]) })
    const start = Date.now()
    await client.delete(`${space.path('pods')}/stays?gracePeriodSeconds=1`)
    await gone(client, podIn(space, 'stays'))
    expect(Date.now() - start).toBeGreaterThan(900)
  })

  runs('goes at once without a grace period', async () => {
    const made = await runPod({ space, name: 'killed', spec: podSpec([shell(untilAsked)]) })
    const from = text(made, 'metadata', 'resourceVersion')
    const query = `watch=1&resourceVersion=${from}&fieldSelector=metadata.name%3Dkilled`
    const events = await watch(client, `${space.path('pods')}?${query}`)
    await client.delete(`${space.path('pods')}/killed`, { gracePeriodSeconds: 0 })
    const seen = await inTime(
      events.until(({ type }) => type === 'DELETED'),
      'the pod did not go',
    )
    events.close()
    expect(seen.at(-1)?.object.metadata.uid).toBe(made.metadata.uid)
    expect((await client.ask(`${space.path('pods')}/killed`)).code).toBe(404)
  })
})
