import { beforeAll, describe, expect } from 'vitest'
import { cut } from './support/client.ts'
import { inPhase, logOf, makePod, podIn, podSpec, runPod, shell, untilAsked } from './support/pods.ts'
import { client, expectRefusal, has, needing, status, useNamespace } from './support/suite.ts'
import { became } from './support/watch.ts'

const space = useNamespace()
const lines = 'one\ntwo\nthree\nfour\n'

beforeAll(async () => {
  if (!has('nodes')) return
  const script = 'echo one; echo two >&2; sleep 0.2; echo three; echo four'
  await makePod({ space, name: 'said', spec: podSpec([shell(script)], { restartPolicy: 'Never' }) })
  await became(client, podIn(space, 'said'), inPhase('Succeeded'))
})

describe.concurrent('a log', () => {
  const runs = needing('nodes')

  runs('has what was said to stdout and stderr', async () => {
    const answer = await client.ask(`${space.path('pods')}/said/log`)
    expect(answer.headers['content-type']).toMatch(/^text\/plain/)
    expect(answer.text.split('\n').sort()).toEqual(lines.split('\n').sort())
  })

  runs('can be its last lines only, or its first bytes', async () => {
    expect(await logOf(space, 'said', 'tailLines=2')).toBe('three\nfour\n')
    expect(await logOf(space, 'said', 'tailLines=0')).toBe('')
    expect(await logOf(space, 'said', 'limitBytes=5')).toHaveLength(5)
    expect((await logOf(space, 'said', 'sinceSeconds=3600')).length).toBe(lines.length)
  })

  runs('can tell when each line was said', async () => {
    const [first] = (await logOf(space, 'said', 'timestamps=true&tailLines=1')).split('\n')
    expect(first).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|[+-]\d\d:\d\d) four$/)
  })

  runs('can be followed until the container ends', async () => {
    const script = 'for i in 1 2 3; do echo $i; sleep 0.3; done'
    await makePod({ space, name: 'speaks', spec: podSpec([shell(script)], { restartPolicy: 'Never' }) })
    await became(client, podIn(space, 'speaks'), (pod) => !inPhase('Pending')(pod))
    expect(await logOf(space, 'speaks', 'follow=true')).toBe('1\n2\n3\n')
  })

  runs('that is followed comes as it is said', async () => {
    await runPod({
      space,
      name: 'on',
      spec: podSpec([shell(`while [ ! -e stop ]; do echo tick; sleep 0.1; done; ${untilAsked}`)]),
    })
    const log = await client.open(`${space.path('pods')}/on/log?follow=true&tailLines=0`)
    let seen = ''
    for await (const chunk of log) {
      seen += chunk
      if (seen.length > 20) break
    }
    cut(log)
    expect(seen).toMatch(/^(tick\n)+/)
  })

  runs('of an earlier container that was none is a 400', async () => {
    const { code, body } = await client.ask(`${space.path('pods')}/said/log?previous=true`)
    expect(code).toBe(400)
    expect(body).toMatchObject(
      status(400, 'BadRequest', 'previous terminated container "main" in pod "said" not found'),
    )
  })

  runs('of a container that is none is a 400', async () => {
    expectRefusal(
      await client.ask(`${space.path('pods')}/said/log?container=nobody`),
      status(400, 'BadRequest', 'container nobody is not valid for pod said'),
    )
  })

  runs('of several containers needs a name', async () => {
    const containers = [shell(untilAsked), shell(untilAsked, { name: 'other' })]
    await runPod({ space, name: 'two', spec: podSpec(containers) })
    expectRefusal(
      await client.ask(`${space.path('pods')}/two/log`),
      status(
        400,
        'BadRequest',
        'a container name must be specified for pod two, choose one of: [main other]',
      ),
    )
  })
})
