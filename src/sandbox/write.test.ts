import { describe, expect, test } from 'vitest'
import {
  apply,
  configMap,
  configMaps,
  deployment,
  deployments,
  merge,
  pod,
  pods,
  startApiServer,
  strategic,
} from './testing/api-server.ts'

const uid = expect.stringMatching(/^[0-9a-f-]{36}$/)

describe('create', () => {
  test('gives an object its identity', async () => {
    const { ask } = await startApiServer({ now: () => new Date('2026-01-02T03:04:05.678Z') })
    const { code, body } = await ask('POST', configMaps, { body: configMap('a', { data: { x: '1' } }) })
    expect(code).toBe(201)
    expect(body).toMatchObject({
      kind: 'ConfigMap',
      metadata: { name: 'a', namespace: 'default', uid, creationTimestamp: '2026-01-02T03:04:05Z' },
      data: { x: '1' },
    })
    expect(Number(body.metadata.resourceVersion)).toBeGreaterThan(1)
    expect((await ask('GET', `${configMaps}/a`)).body).toEqual(body)
  })

  test('tells of keys that a body says twice, wherever they are', async () => {
    const { ask } = await startApiServer()
    const body = `{"metadata":{"name":"a","annotations":{"x":"{","y":"\\"x"}},"spec":{"containers":[
      {"name":"b","image":"any"},{"name":"c","image":"any","name":"d"}],"nodeName":"e","nodeName":"f"}}`
    const twice = ['spec.containers[1].name', 'spec.nodeName'].map((path) => `duplicate field "${path}"`)
    const strict = await ask('POST', `${pods}?fieldValidation=Strict`, { body })
    expect(strict.code).toBe(400)
    expect(strict.body.message).toMatch(`strict decoding error: ${twice.join(', ')}`)
    const warned = await ask('POST', pods, { body })
    expect(warned.body.spec.nodeName).toBe('f')
    for (const told of twice) expect(warned.headers.warning).toContain(told.replaceAll('"', '\\"'))
    expect(
      (await ask('POST', `${pods}?fieldValidation=Ignore&dryRun=All`, { body })).headers.warning,
    ).toBeUndefined()
  })

  test('is what an update does where that is allowed', async () => {
    const { ask } = await startApiServer()
    const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases'
    expect((await ask('PUT', `${leases}/a`, { body: { metadata: { name: 'a' } } })).code).toBe(201)
    expect((await ask('PUT', `${configMaps}/a`, { body: configMap('a') })).code).toBe(404)
  })

  test('generates a name that is free', async () => {
    const { ask } = await startApiServer()
    const body = { metadata: { generateName: 'job-' } }
    const space = (await ask('POST', '/api/v1/namespaces', { body })).body.metadata
    expect(space.labels).toEqual({ 'kubernetes.io/metadata.name': space.name })
    const names = await Promise.all([1, 2, 3].map(async () => (await ask('POST', configMaps, { body })).body))
    for (const { metadata } of names) expect(metadata.name).toMatch(/^job-[a-z0-9]{5}$/)
    expect(new Set(names.map(({ metadata }) => metadata.name)).size).toBe(3)
  })

  test.each([
    [
      'a name that is taken',
      configMaps,
      configMap('a'),
      409,
      'AlreadyExists',
      'configmaps "a" already exists',
    ],
    [
      'a namespace that is not there',
      '/api/v1/namespaces/none/configmaps',
      configMap('a'),
      404,
      'NotFound',
      'namespaces "none" not found',
    ],
    [
      'another namespace than the path has',
      configMaps,
      configMap('b', { metadata: { name: 'b', namespace: 'other' } }),
      400,
      'BadRequest',
      'the namespace of the provided object does not match the namespace sent on the request',
    ],
    [
      'no name',
      configMaps,
      {},
      422,
      'Invalid',
      /metadata.name: Required value: name or generateName is required/,
    ],
    ['a name that is none', configMaps, configMap('A_'), 422, 'Invalid', /a lowercase RFC 1123 subdomain/],
    [
      'another kind',
      configMaps,
      pod('a'),
      400,
      'BadRequest',
      /^Pod in version "v1" cannot be handled as a ConfigMap/,
    ],
    [
      'JSON that is none',
      configMaps,
      '{bad',
      400,
      'BadRequest',
      /couldn't get version\/kind; json parse error/,
    ],
    [
      'a field of another type',
      configMaps,
      configMap('b', { data: 3 }),
      400,
      'BadRequest',
      /cannot unmarshal number/,
    ],
    [
      'a revision',
      configMaps,
      { metadata: { name: 'b', resourceVersion: '3' } },
      500,
      undefined,
      'resourceVersion should not be set on objects to be created',
    ],
  ])('refuses %s', async (_, path, body, code, reason, message) => {
    const { ask } = await startApiServer()
    await ask('POST', configMaps, { body: configMap('a') })
    const answer = await ask('POST', path, { body })
    expect([answer.code, answer.body.reason]).toEqual([code, reason])
    expect(answer.body.message).toMatch(message)
    expect((await ask('GET', configMaps)).body.items).toHaveLength(1)
  })

  test('refuses a body past three megabytes', async () => {
    const { ask } = await startApiServer()
    const body = configMap('a', { data: { x: 'x'.repeat(3_200_000) } })
    const answer = await ask('POST', configMaps, { body })
    expect([answer.code, answer.body.reason]).toEqual([413, 'RequestEntityTooLarge'])
  })

  test('reads YAML as Kubernetes does', async () => {
    const { ask } = await startApiServer()
    const body = 'metadata: {name: a}\nimmutable: no\ndata: {time: "22:22", date: 2026-01-02}\n'
    const answer = await ask('POST', configMaps, { body, type: 'application/yaml' })
    expect(answer.code).toBe(201)
    expect(answer.body).toMatchObject({ immutable: false, data: { time: '22:22', date: '2026-01-02' } })
  })

  test('fills in what the kind has by default, and none of a status that was sent', async () => {
    const { ask } = await startApiServer()
    const { body } = await ask('POST', deployments, {
      body: { ...deployment('web'), status: { replicas: 9 } },
    })
    expect(body.metadata.generation).toBe(1)
    expect(body.spec).toMatchObject({ replicas: 1, strategy: { type: 'RollingUpdate' } })
    expect(body.status).toEqual({})
  })

  test('a pod begins as Pending, with what admission puts into it', async () => {
    const { ask } = await startApiServer()
    const { body } = await ask('POST', pods, { body: pod('web') })
    expect(body.status).toMatchObject({ phase: 'Pending', qosClass: 'BestEffort' })
    expect(body.spec).toMatchObject({ serviceAccountName: 'default', priority: 0 })
    expect(body.spec.tolerations).toHaveLength(2)
    const unknown = await ask('POST', pods, { body: pod('other', { priorityClassName: 'none' }) })
    expect([unknown.code, unknown.body.message]).toEqual([
      403,
      'pods "other" is forbidden: no PriorityClass with name none was found',
    ])
  })

  test('a secret keeps what was said in plain text as its data', async () => {
    const { ask } = await startApiServer()
    const body = { metadata: { name: 's' }, stringData: { a: 'b' } }
    const answer = await ask('POST', '/api/v1/namespaces/default/secrets', { body })
    expect(answer.body).toMatchObject({ data: { a: 'Yg==' }, type: 'Opaque' })
    expect(answer.body.stringData).toBeUndefined()
  })

  test('what has no effect here is told', async () => {
    const { ask } = await startApiServer()
    const spec = { containers: [{ name: 'web', image: 'any', securityContext: { runAsUser: 1 } }] }
    const { headers } = await ask('POST', pods, { body: { metadata: { name: 'web' }, spec } })
    expect(headers.warning).toMatch(/^299 - "securityContext has no effect in the sandbox/)
    const sets = await ask('POST', '/apis/apps/v1/namespaces/default/statefulsets', {
      body: { ...deployment('db'), kind: 'StatefulSet' },
    })
    expect(sets.headers.warning).toContain('no controller for StatefulSets')
    expect((await ask('POST', configMaps, { body: configMap('a') })).headers.warning).toBeUndefined()
  })
})

describe('update', () => {
  test('needs the revision that is stored, if any is said', async () => {
    const { ask } = await startApiServer()
    const { body } = await ask('POST', configMaps, { body: configMap('a') })
    const next = { ...body, data: { x: '1' } }
    const updated = await ask('PUT', `${configMaps}/a`, { body: next })
    expect(updated).toMatchObject({ code: 200, body: { data: { x: '1' } } })
    const late = await ask('PUT', `${configMaps}/a`, { body: next })
    expect([late.code, late.body.reason, late.body.message]).toEqual([
      409,
      'Conflict',
      'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
    ])
    expect((await ask('PUT', `${configMaps}/a`, { body: configMap('a') })).code).toBe(200)
    const other = configMap('a', { metadata: { name: 'a', uid: 'other' } })
    expect((await ask('PUT', `${configMaps}/a`, { body: other })).body.message).toMatch(
      /UID in precondition: other/,
    )
  })

  test('a lease is only written by who saw it', async () => {
    const { ask } = await startApiServer()
    const path = '/apis/coordination.k8s.io/v1/namespaces/default/leases'
    await ask('POST', path, { body: { metadata: { name: 'l' } } })
    const { code, body } = await ask('PUT', `${path}/l`, { body: { metadata: { name: 'l' } } })
    expect([code, body.message]).toEqual([
      422,
      'leases.coordination.k8s.io "l" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    ])
  })

  test.each([
    [
      'of another name',
      configMap('b'),
      400,
      /name of the object \(b\) does not match the name on the URL \(a\)/,
    ],
    ['without a name', {}, 400, /\(a based on URL\) was undeterminable: name must be provided/],
  ])('refuses an object %s', async (_, body, code, message) => {
    const { ask } = await startApiServer()
    await ask('POST', configMaps, { body: configMap('a') })
    const answer = await ask('PUT', `${configMaps}/a`, { body })
    expect(answer.code).toBe(code)
    expect(answer.body.message).toMatch(message)
  })

  test('of what is not there is refused', async () => {
    const { ask } = await startApiServer()
    expect((await ask('PUT', `${configMaps}/a`, { body: configMap('a') })).body.message).toBe(
      'configmaps "a" not found',
    )
  })

  test('counts generations when what is asked for changes, and only then', async () => {
    const { ask } = await startApiServer()
    await ask('POST', deployments, { body: deployment('web') })
    const patched = async (body: object, path = '') =>
      (await ask('PATCH', `${deployments}/web${path}`, { body, type: merge })).body.metadata.generation
    expect(await patched({ spec: { replicas: 2 } })).toBe(2)
    expect(await patched({ spec: { replicas: 2 } })).toBe(2)
    expect(await patched({ metadata: { labels: { a: 'b' } } })).toBe(2)
    expect(await patched({ status: { replicas: 1 } }, '/status')).toBe(2)
    expect(await patched({ metadata: { annotations: { a: 'b' } } })).toBe(3)
  })

  test('that changes nothing is no commit', async () => {
    const { ask, api } = await startApiServer()
    const { body } = await ask('POST', deployments, { body: deployment('web') })
    const before = api.store.revision
    await ask('PUT', `${deployments}/web`, { body })
    await ask('PATCH', `${deployments}/web`, { body: {}, type: merge })
    expect(api.store.revision).toBe(before)
  })

  test('keeps status and the rest apart', async () => {
    const { ask } = await startApiServer()
    await ask('POST', deployments, { body: deployment('web') })
    const both = { spec: { replicas: 5 }, status: { replicas: 4 } }
    const status = await ask('PATCH', `${deployments}/web/status`, { body: both, type: merge })
    expect(status.body).toMatchObject({ spec: { replicas: 1 }, status: { replicas: 4 } })
    const main = await ask('PATCH', `${deployments}/web`, { body: { ...both, status: null }, type: merge })
    expect(main.body).toMatchObject({ spec: { replicas: 5 }, status: { replicas: 4 } })
  })

  test('leaves what is immutable', async () => {
    const { ask } = await startApiServer()
    await ask('POST', configMaps, { body: configMap('a', { immutable: true, data: { x: '1' } }) })
    const body = { data: { x: '2' }, immutable: null }
    const answer = await ask('PATCH', `${configMaps}/a`, { body, type: merge })
    expect(answer.code).toBe(422)
    const fields = answer.body.details.causes.map(({ field }: { field: string }) => field)
    expect(fields).toEqual(['immutable', 'data'])
    const labelled = { metadata: { labels: { a: 'b' } } }
    expect((await ask('PATCH', `${configMaps}/a`, { body: labelled, type: merge })).code).toBe(200)
  })
})

describe('patch', () => {
  test.each([
    ['merge-patch+json', { data: { x: null, y: '2' } }],
    ['strategic-merge-patch+json', { data: { x: null, y: '2' } }],
    [
      'json-patch+json',
      [
        { op: 'remove', path: '/data/x' },
        { op: 'add', path: '/data/y', value: '2' },
      ],
    ],
  ])('by %s', async (type, body) => {
    const { ask } = await startApiServer()
    await ask('POST', configMaps, { body: configMap('a', { data: { x: '1' } }) })
    const answer = await ask('PATCH', `${configMaps}/a`, { body, type: `application/${type}` })
    expect([answer.code, answer.body.data]).toEqual([200, { y: '2' }])
  })

  test.each([
    ['another name', { metadata: { name: 'b' } }, 400, /does not match the name on the URL/],
    ['another namespace', { metadata: { namespace: 'b' } }, 400, /does not match the namespace/],
    ['another kind', { kind: 'Pod' }, 422, /converting \(v1.Pod\) to \(core.ConfigMap\): unknown conversion/],
    ['another uid', { metadata: { uid: '1' } }, 422, /metadata.uid: Invalid value: "1": field is immutable/],
    ['a revision that is past', { metadata: { resourceVersion: '1' } }, 409, /the object has been modified/],
    ['a value of another type', { data: { x: 1 } }, 422, /patch: Invalid value: .*cannot unmarshal number/],
    ['no object', [], 400, /error decoding patch: json: cannot unmarshal array/],
  ])('does not give an object %s', async (_, body, code, message) => {
    const { ask } = await startApiServer()
    const before = await ask('POST', configMaps, { body: configMap('a') })
    const answer = await ask('PATCH', `${configMaps}/a`, { body, type: merge })
    expect(answer.code).toBe(code)
    expect(answer.body.message).toMatch(message)
    expect((await ask('GET', `${configMaps}/a`)).body).toEqual(before.body)
  })

  test('force is for apply alone', async () => {
    const { ask } = await startApiServer()
    const answer = await ask('PATCH', `${configMaps}/a?force=true`, { body: {}, type: merge })
    expect(answer.body.message).toContain('force: Forbidden: may not be specified for non-apply patch')
  })
})

describe('server-side apply', () => {
  const applied = configMap('a', { data: { x: '1' } })

  test('creates, then changes', async () => {
    const { ask } = await startApiServer()
    const path = `${configMaps}/a?fieldManager=me`
    const created = await ask('PATCH', path, { body: applied, type: apply })
    expect([created.code, created.body.data]).toEqual([201, { x: '1' }])
    expect(created.body.metadata.managedFields).toMatchObject([{ manager: 'me', operation: 'Apply' }])
    const changed = await ask('PATCH', path, { body: configMap('a', { data: { y: '2' } }), type: apply })
    expect([changed.code, changed.body.data]).toEqual([200, { y: '2' }])
  })

  test("refuses to take another's field, unless forced", async () => {
    const { ask } = await startApiServer()
    await ask('PATCH', `${configMaps}/a?fieldManager=me`, { body: applied, type: apply })
    const other = configMap('a', { data: { x: '2' } })
    const path = `${configMaps}/a?fieldManager=you`
    const refused = await ask('PATCH', path, { body: other, type: apply })
    expect([refused.code, refused.body.reason]).toEqual([409, 'Conflict'])
    expect(refused.body.details.causes).toEqual([
      { reason: 'FieldManagerConflict', message: expect.stringContaining('"me"'), field: '.data.x' },
    ])
    const forced = await ask('PATCH', `${path}&force=true`, { body: other, type: apply })
    expect([forced.code, forced.body.data]).toEqual([200, { x: '2' }])
  })

  test.each([
    ['no manager', '', applied, 422, /fieldManager: Required value: is required for apply patch/],
    ['another kind', '?fieldManager=me', pod('a'), 400, 'invalid object type: /v1, Kind=Pod'],
    ['another name', '?fieldManager=me', configMap('b'), 400, /does not match the name on the URL/],
    ['YAML that is none', '?fieldManager=me', ': :', 400, /error decoding YAML/],
    ['a list', '?fieldManager=me', '[]', 400, /cannot unmarshal array into Go value/],
    [
      'a uid of what is not there',
      '?fieldManager=me',
      configMap('a', { metadata: { name: 'a', uid: 'z' } }),
      409,
      /uid mismatch: the provided object specified uid z, and no existing object was found/,
    ],
  ])('refuses %s', async (_, query, body, code, message) => {
    const { ask } = await startApiServer()
    const answer = await ask('PATCH', `${configMaps}/a${query}`, { body, type: apply })
    expect(answer.code).toBe(code)
    expect(answer.body.message).toMatch(message)
  })
})

describe('dry run', () => {
  test('answers as the write would, and writes nothing', async () => {
    const { ask, api } = await startApiServer()
    await ask('POST', configMaps, { body: configMap('a', { data: { x: '1' } }) })
    const before = api.store.revision
    const created = await ask('POST', `${deployments}?dryRun=All`, { body: deployment('web') })
    expect(created).toMatchObject({
      code: 201,
      body: { metadata: { uid, generation: 1 }, spec: { replicas: 1 } },
    })
    expect(created.body.metadata.resourceVersion).toBeUndefined()
    const path = `${configMaps}/a?dryRun=All`
    const changed = { data: { x: '2' } }
    expect((await ask('PUT', path, { body: configMap('a', changed) })).body).toMatchObject(changed)
    expect((await ask('PATCH', path, { body: changed, type: merge })).body).toMatchObject(changed)
    const ssa = await ask('PATCH', `${path}&fieldManager=me&force=true`, {
      body: configMap('a', changed),
      type: apply,
    })
    expect(ssa.body).toMatchObject(changed)
    expect((await ask('DELETE', path)).code).toBe(200)
    expect((await ask('DELETE', `${configMaps}?dryRun=All`)).code).toBe(200)
    expect(api.store.revision).toBe(before)
  })

  test('is All or nothing', async () => {
    const { ask } = await startApiServer()
    const { code, body } = await ask('POST', `${configMaps}?dryRun=some`, { body: configMap('a') })
    expect([code, body.message]).toEqual([
      422,
      'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["some"]: supported values: "All"',
    ])
  })
})

describe('field validation', () => {
  const body = configMap('a', { dota: { x: '1' } })

  test.each([
    ['Warn', 201, '299 - "unknown field \\"dota\\""'],
    ['Ignore', 201, undefined],
    ['', 201, '299 - "unknown field \\"dota\\""'],
  ])('%s', async (validation, code, warning) => {
    const { ask } = await startApiServer()
    const answer = await ask('POST', `${configMaps}?fieldValidation=${validation}`, { body })
    expect([answer.code, answer.headers.warning]).toEqual([code, warning])
    expect(answer.body.dota).toBeUndefined()
  })

  test('Strict, for whole objects and for patches', async () => {
    const { ask } = await startApiServer()
    const whole = await ask('POST', `${configMaps}?fieldValidation=Strict`, { body })
    expect([whole.code, whole.body.message]).toEqual([
      400,
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dota"',
    ])
    await ask('POST', configMaps, { body: configMap('a') })
    const type = merge
    const path = `${configMaps}/a?fieldValidation=Strict`
    const patched = await ask('PATCH', path, { body: { dota: {} }, type })
    expect([patched.code, patched.body.reason]).toEqual([422, 'Invalid'])
    expect(patched.body.message).toMatch(/strict decoding error: unknown field "dota"$/)
  })
})

test('a write is recorded under the field manager, or else the name of the client', async () => {
  const { ask } = await startApiServer()
  const body = (name: string) => configMap(name, { data: { x: '1' } })
  const named = await ask('POST', `${configMaps}?fieldManager=me`, { body: body('a') })
  const unnamed = await ask('POST', configMaps, { body: body('b') })
  const managers = [named, unnamed].map((answer) => answer.body.metadata.managedFields[0].manager)
  expect(managers).toEqual(['me', 'vitest'])
})

describe('scale', () => {
  test('shows and changes how many there are to be', async () => {
    const { ask } = await startApiServer()
    await ask('POST', deployments, { body: deployment('web') })
    const path = `${deployments}/web/scale`
    expect((await ask('GET', path)).body).toMatchObject({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      spec: { replicas: 1 },
      status: { replicas: 0, selector: 'app=web' },
    })
    for (const type of [merge, strategic]) {
      expect((await ask('PATCH', path, { body: { spec: { replicas: 3 } }, type })).body.spec.replicas).toBe(3)
    }
    const negative = { metadata: { name: 'web' }, spec: { replicas: -1 } }
    expect((await ask('PUT', path, { body: negative })).body.message).toBe(
      'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    )
    const late = { metadata: { name: 'web', resourceVersion: '1' }, spec: { replicas: 4 } }
    expect((await ask('PUT', path, { body: late })).code).toBe(409)
    expect((await ask('GET', `${deployments}/web`)).body.spec.replicas).toBe(3)
  })
})

describe("a Service's address", () => {
  const path = '/api/v1/namespaces/default/services'
  const service = (name: string, spec: object = {}) => ({
    metadata: { name },
    spec: { ports: [{ port: 80 }], ...spec },
  })

  test('is given, kept, and its own', async () => {
    const { ask } = await startApiServer()
    const given = (await ask('POST', path, { body: service('a') })).body.spec
    expect(given).toMatchObject({
      clusterIP: expect.stringMatching(/^10\.96\.\d+\.\d+$/),
      ipFamilies: ['IPv4'],
    })
    const kept = await ask('PUT', `${path}/a`, { body: service('a', { ports: [{ port: 81 }] }) })
    expect(kept.body.spec.clusterIPs).toEqual([given.clusterIP])
    const taken = await ask('POST', path, { body: service('b', { clusterIP: given.clusterIP }) })
    expect(taken.body.message).toMatch(/failed to allocate IP .*: provided IP is already allocated/)
    const moved = await ask('PUT', `${path}/a`, { body: service('a', { clusterIP: '10.96.9.9' }) })
    expect(moved.body.message).toMatch(/may not change once set/)
    const outside = await ask('POST', path, { body: service('c', { clusterIP: '10.97.0.1' }) })
    expect(outside.body.message).toMatch(/does not match the current range/)
  })

  test('is none when none is wanted', async () => {
    const { ask } = await startApiServer()
    expect((await ask('POST', path, { body: service('a', { clusterIP: 'None' }) })).body.spec.clusterIP).toBe(
      'None',
    )
    const external = service('b', { type: 'ExternalName', externalName: 'example.com' })
    expect((await ask('POST', path, { body: external })).body.spec.clusterIP).toBeUndefined()
  })

  test('has ports on the nodes, which it keeps, and which no other has', async () => {
    const { ask } = await startApiServer()
    const nodePort = { type: 'NodePort' }
    const made = await ask('POST', path, { body: service('a', nodePort) })
    const [port] = made.body.spec.ports
    expect(port.nodePort).toBeGreaterThanOrEqual(30_000)
    const kept = await ask('PUT', `${path}/a`, { body: service('a', nodePort) })
    expect(kept.body.spec.ports).toEqual([port])
    const other = await ask('POST', path, { body: service('b', nodePort) })
    expect(other.body.spec.ports[0].nodePort).not.toBe(port.nodePort)
    const asking = (nodePort: number) =>
      ask('POST', path, { body: service('c', { type: 'NodePort', ports: [{ port: 80, nodePort }] }) })
    expect((await asking(port.nodePort)).body.details.causes).toEqual([
      {
        reason: 'FieldValueInvalid',
        message: `Invalid value: ${port.nodePort}: provided port is already allocated`,
        field: 'spec.ports[0].nodePort',
      },
    ])
    expect((await asking(80)).code).toBe(422)
    const inside = await ask('PUT', `${path}/a`, { body: service('a') })
    expect(inside.body.spec.ports[0]).not.toHaveProperty('nodePort')
  })
})
