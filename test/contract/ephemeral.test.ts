import { describe, expect } from 'vitest'
import { patchTypes } from './support/client.ts'
import { at, list } from './support/json.ts'
import { image, logBecame, makePod, podIn, podSpec, runPod, shell, untilAsked } from './support/pods.ts'
import { exec, exitCode } from './support/stream.ts'
import { client, needing, useNamespace } from './support/suite.ts'
import { became } from './support/watch.ts'

const space = useNamespace()

describe.concurrent('an ephemeral container', () => {
  const runs = needing('nodes', 'ephemeral containers')
  const add = (pod: string, container: object) =>
    client.patch(`${space.path('pods')}/${pod}/ephemeralcontainers`, 'strategic', {
      spec: { ephemeralContainers: [container] },
    })

  runs('is added to a pod that runs, and runs there', async () => {
    const path = `${space.path('pods')}/host`
    await runPod({ space, name: 'host', spec: podSpec([shell(untilAsked)]) })
    const debug = shell(`echo here; ${untilAsked}`, { name: 'debug', targetContainerName: 'main' })
    const patched = await add('host', debug)
    expect(at(patched, 'spec', 'ephemeralContainers', 0)).toMatchObject({
      name: 'debug',
      image,
      targetContainerName: 'main',
    })
    const pod = await became(
      client,
      podIn(space, 'host'),
      (pod) => at(pod, 'status', 'ephemeralContainerStatuses', 0, 'state', 'running') !== undefined,
    )
    expect(at(pod, 'status', 'ephemeralContainerStatuses', 0)).toMatchObject({
      name: 'debug',
      restartCount: 0,
    })
    await logBecame(space, 'host', { says: 'here\n', query: 'container=debug' })
    const command = await exec(client, {
      path,
      container: 'debug',
      command: ['true'],
    })
    expect(exitCode(await command.ended)).toBe(0)
  })

  runs('is not restarted, and its end is not the pod’s', async () => {
    await runPod({ space, name: 'once', spec: podSpec([shell(untilAsked)]) })
    await add('once', shell('exit 5', { name: 'debug' }))
    const ended = (pod: unknown) => at(pod, 'status', 'ephemeralContainerStatuses', 0, 'state', 'terminated')
    const pod = await became(client, podIn(space, 'once'), (pod) => ended(pod) !== undefined)
    expect(at(ended(pod), 'exitCode')).toBe(5)
    expect(at(pod, 'status', 'phase')).toBe('Running')
  })

  // Pods that no node takes, so that this runs without nodes too.
  const unscheduled = podSpec([shell('exit')], { nodeSelector: { 'example.com/none': 'x' } })
  const api = needing('ephemeral containers')

  api('cannot be removed or changed', async () => {
    await makePod({ space, name: 'keeps', spec: unscheduled })
    await add('keeps', shell('true', { name: 'debug' }))
    const path = `${space.path('pods')}/keeps/ephemeralcontainers`
    const changed = [shell('false', { name: 'debug' })]
    for (const ephemeralContainers of [null, [], changed]) {
      const body = { spec: { ephemeralContainers } }
      const answer = await client.ask(path, { method: 'PATCH', type: patchTypes.merge, body })
      expect(answer).toMatchObject({
        code: 422,
        body: {
          reason: 'Invalid',
          details: { causes: [{ reason: 'FieldValueForbidden', field: 'spec.ephemeralContainers' }] },
        },
      })
    }
    expect(list(await client.get(`${space.path('pods')}/keeps`), 'spec', 'ephemeralContainers')).toHaveLength(
      1,
    )
  })

  api('is looked at, and put, through the subresource', async () => {
    await makePod({ space, name: 'puts', spec: unscheduled })
    const path = `${space.path('pods')}/puts/ephemeralcontainers`
    const pod = await client.get(path)
    expect(pod).toMatchObject({ kind: 'Pod', metadata: { name: 'puts' } })
    const ephemeralContainers = [{ name: 'debug', image, targetContainerName: 'main' }]
    const body = { ...pod, spec: { ...(at(pod, 'spec') as object), ephemeralContainers } }
    const answer = await client.ask(path, { method: 'PUT', body })
    expect([answer.code, list(answer.body, 'spec', 'ephemeralContainers')]).toMatchObject([
      200,
      [{ name: 'debug', targetContainerName: 'main', imagePullPolicy: expect.any(String) }],
    ])
  })

  api('has what it may have, and a target that is there', async () => {
    await makePod({ space, name: 'checks', spec: unscheduled })
    const path = `${space.path('pods')}/checks/ephemeralcontainers`
    for (const [change, reason, field] of [
      [{ targetContainerName: 'none' }, 'FieldValueNotFound', 'targetContainerName'],
      [{ ports: [{ containerPort: 1 }] }, 'FieldValueForbidden', 'ports'],
      [{ resources: { limits: { cpu: '1' } } }, 'FieldValueForbidden', 'resources'],
      [{ livenessProbe: { exec: { command: ['true'] } } }, 'FieldValueForbidden', 'livenessProbe'],
      [{ image: '' }, 'FieldValueRequired', 'image'],
      [{ name: 'main' }, 'FieldValueDuplicate', 'name'],
      [{ name: 'Upper' }, 'FieldValueInvalid', 'name'],
    ] as const) {
      const body = { spec: { ephemeralContainers: [{ name: 'debug', image, ...change }] } }
      const answer = await client.ask(path, { method: 'PATCH', type: patchTypes.strategic, body })
      expect(answer).toMatchObject({
        code: 422,
        body: { details: { causes: [{ reason, field: `spec.ephemeralContainers[0].${field}` }] } },
      })
    }
  })

  api('must be added through its subresource', async () => {
    const ephemeralContainers = [shell('true', { name: 'debug' })]
    const body = { metadata: { name: 'refused' }, spec: { ...unscheduled, ephemeralContainers } }
    const answer = await client.ask(space.path('pods'), { method: 'POST', body })
    expect(answer).toMatchObject({
      code: 422,
      body: { details: { causes: [{ reason: 'FieldValueForbidden', field: 'spec.ephemeralContainers' }] } },
    })
  })
})
