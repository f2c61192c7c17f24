import { describe, expect, test } from 'vitest'
import { answer, answerStatus, startServer } from '../../kube/testing/server.ts'
import { unknownShape } from '../diff/shape.ts'
import type { JsonMap } from '../value.ts'
import { openStripper, type Verdicts } from './strip.ts'

const types = {
  resources: [{ name: 'deployments', kind: 'Deployment', namespaced: true, verbs: ['update'] }],
}

function deployment(name: string, container: JsonMap, spec: JsonMap = {}): JsonMap {
  const template = { spec: { restartPolicy: 'Always', containers: [{ name: 'web', ...container }] } }
  const metadata = { name, namespace: 'shop', resourceVersion: '1' }
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { ...spec, template } }
}

/** Fills in `File`, `Always` and ten revisions, whatever stands there now. */
async function server() {
  const it = await startServer()
  const client = await it.client()
  const bodies: JsonMap[] = []
  it.handle((request, response, body) => {
    if (request.method === 'GET') return answer(response, types)
    bodies.push(JSON.parse(body))
    return answer(
      response,
      deployment('web', { terminationMessagePolicy: 'File', image: 'a' }, { revisionHistoryLimit: 10 }),
    )
  })
  return { ...it, client, bodies }
}

const live = (object: JsonMap) => ({ object, clean: object })

describe('defaults', () => {
  test('go when the server puts the same value back, and all else stays', async () => {
    const { client, bodies } = await server()
    const object = deployment(
      'web',
      { terminationMessagePolicy: 'File', imagePullPolicy: 'Always', image: 'a:1' },
      { revisionHistoryLimit: 10 },
    )
    const stripped = await openStripper(client, new Map()).strip(live(object), undefined, unknownShape)
    expect(stripped.spec).toEqual({
      template: { spec: { containers: [{ name: 'web', imagePullPolicy: 'Always', image: 'a:1' }] } },
    })
    expect(JSON.stringify(bodies[0])).not.toMatch(/Always|revisionHistoryLimit/)
  })

  test('are asked for once for all objects that are alike, and again where it depends on something else', async () => {
    const { client, bodies } = await server()
    const verdicts: Verdicts = new Map()
    const stripper = openStripper(client, verdicts)
    const strip = (name: string, image: string) =>
      stripper.strip(live(deployment(name, { imagePullPolicy: 'Always', image })), undefined, unknownShape)
    await Promise.all(['a', 'b', 'c'].map((name) => strip(name, `x/${name}:1`)))
    expect(bodies).toHaveLength(1)
    await strip('d', 'x/d:latest')
    expect(bodies).toHaveLength(2)
  })

  test('that the user has written down stay', async () => {
    const { client } = await server()
    const object = deployment('web', { terminationMessagePolicy: 'File' }, { revisionHistoryLimit: 10 })
    const like = { spec: { revisionHistoryLimit: 5 } }
    const stripped = await openStripper(client, new Map()).strip(live(object), like, unknownShape)
    expect(stripped.spec).toMatchObject({ revisionHistoryLimit: 10 })
  })

  test('are told by their values where the server refuses, and that is said', async () => {
    const { client, handle } = await server()
    handle((request, response) =>
      request.method === 'GET'
        ? answer(response, types)
        : answerStatus(response, 403, 'Forbidden', 'you may not update'),
    )
    const stripper = openStripper(client, new Map())
    const object = deployment('web', { imagePullPolicy: 'Always' }, { revisionHistoryLimit: 10 })
    const stripped = await stripper.strip(live(object), undefined, unknownShape)
    expect(stripped.spec).toEqual({
      template: { spec: { containers: [{ name: 'web', imagePullPolicy: 'Always' }] } },
    })
    expect(stripper.refused.get('apps/v1 Deployment')).toBe('you may not update')
  })
})

test('a field that cannot be left out of what is there spoils nothing for the others', async () => {
  const { client, handle } = await server()
  handle((request, response, body) => {
    if (request.method === 'GET') return answer(response, types)
    if (!body.includes('restartPolicy'))
      return answerStatus(response, 422, 'Invalid', 'restartPolicy may not go')
    return answer(response, deployment('web', {}, { revisionHistoryLimit: 10 }))
  })
  const object = deployment('web', { terminationMessagePolicy: 'File' }, { revisionHistoryLimit: 10 })
  const stripper = openStripper(client, new Map())
  const { spec } = await stripper.strip(live(object), undefined, unknownShape)
  expect(spec).toEqual({
    template: { spec: { containers: [{ name: 'web', terminationMessagePolicy: 'File' }] } },
  })
  expect(stripper.refused.size).toBe(0)
})
