import { describe, expect } from 'vitest'
import { at, list } from './support/json.ts'
import { image, logOf, podIn, podSpec, runPod, shell, untilAsked } from './support/pods.ts'
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
    expect(await logOf(space, 'host', 'container=debug')).toBe('here\n')
    const command = await exec(client, {
      path,
      container: 'debug',
      command: ['true'],
      protocol: 'v5.channel.k8s.io',
    })
    expect(exitCode(await command.ended)).toBe(0)
  })

  runs('is not restarted and cannot be removed', async () => {
    await runPod({ space, name: 'once', spec: podSpec([shell(untilAsked)]) })
    await add('once', shell('exit 5', { name: 'debug' }))
    const pod = await became(
      client,
      podIn(space, 'once'),
      (pod) => at(pod, 'status', 'ephemeralContainerStatuses', 0, 'state', 'terminated') !== undefined,
    )
    expect(at(pod, 'status', 'ephemeralContainerStatuses', 0, 'state', 'terminated', 'exitCode')).toBe(5)
    expect(at(pod, 'status', 'phase')).toBe('Running')
    const body = { spec: { ephemeralContainers: null } }
    const path = `${space.path('pods')}/once/ephemeralcontainers`
    const answer = await client.ask(path, { method: 'PATCH', type: 'application/merge-patch+json', body })
    expect(answer).toMatchObject({
      code: 422,
      body: { reason: 'Invalid', details: { causes: [{ field: 'spec.ephemeralContainers' }] } },
    })
    expect(list(await client.get(`${space.path('pods')}/once`), 'spec', 'ephemeralContainers')).toHaveLength(
      1,
    )
  })

  runs('must be added through its subresource', async () => {
    const ephemeralContainers = [shell('true', { name: 'debug' })]
    const made = {
      metadata: { name: 'refused' },
      spec: podSpec([shell(untilAsked)], { ephemeralContainers }),
    }
    const answer = await client.ask(space.path('pods'), { method: 'POST', body: made })
    expect(answer).toMatchObject({
      code: 422,
      body: { details: { causes: [{ reason: 'FieldValueForbidden', field: 'spec.ephemeralContainers' }] } },
    })
  })
})
