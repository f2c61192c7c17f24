import { describe, expect, test } from 'vitest'
import {
  apply,
  crds,
  establish,
  merge,
  startApiServer,
  strategic,
  until,
  widget,
  widgetCrd,
  widgets,
} from './testing/api-server.ts'

async function withWidgets(crd = widgetCrd()) {
  const server = await startApiServer()
  await establish(server, crd)
  return server
}

describe('a CustomResourceDefinition', () => {
  test('is established once its names are accepted', async () => {
    const { ask } = await withWidgets()
    const { body } = await ask('GET', `${crds}/widgets.example.com`)
    expect(body.spec.names).toMatchObject({ singular: 'widget', listKind: 'WidgetList' })
    expect(body.spec.conversion).toEqual({ strategy: 'None' })
    expect(body.status).toMatchObject({
      acceptedNames: { kind: 'Widget' },
      storedVersions: ['v1'],
      conditions: [
        { type: 'NamesAccepted', status: 'True' },
        { type: 'Established', status: 'True' },
      ],
    })
  })

  test('does not get a kind that another of its group has', async () => {
    const server = await withWidgets()
    const { metadata: _, ...crd } = widgetCrd({}, { names: { plural: 'gadgets', kind: 'Widget' } })
    await server.ask('POST', crds, { body: { ...crd, metadata: { name: 'gadgets.example.com' } } })
    const status = () =>
      server.api.store.get('customresourcedefinitions.apiextensions.k8s.io', { name: 'gadgets.example.com' })
        ?.status
    await until(server, () => JSON.stringify(status()).includes('KindConflict'))
    expect((await server.ask('GET', '/apis/example.com/v1/gadgets')).code).toBe(404)
  })

  test.each([
    [
      'another name',
      widgetCrd({}, { group: 'other.com' }),
      /metadata.name: .*must be spec.names.plural\+"."\+spec.group/,
    ],
    ['no scope', widgetCrd({}, { scope: 'Some' }), /spec.scope: Unsupported value: "Some"/],
    ['no schema', widgetCrd({ schema: null }), /spec.versions\[0\].schema.openAPIV3Schema: Required value/],
    [
      'no stored version',
      widgetCrd({ storage: false }),
      /must have exactly one version marked as storage version/,
    ],
    [
      'a field without a type',
      widgetCrd({ schema: { openAPIV3Schema: { type: 'object', properties: { a: {} } } } }),
      /properties\[a\].type: Required value: must not be empty for specified object fields/,
    ],
  ])('is refused with %s', async (_, body, message) => {
    const { ask } = await startApiServer()
    const answer = await ask('POST', crds, { body })
    expect([answer.code, answer.body.reason]).toEqual([422, 'Invalid'])
    expect(answer.body.message).toMatch(message)
  })

  test.each([
    ['a conversion webhook', widgetCrd({}, { conversion: { strategy: 'Webhook' } }), /conversion webhooks/],
    [
      'rules in CEL',
      widgetCrd({
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-validations': [{ rule: 'true' }] } },
      }),
      /x-kubernetes-validations/,
    ],
  ])('is not done with %s', async (_, body, message) => {
    const { ask } = await startApiServer()
    const answer = await ask('POST', crds, { body })
    expect([answer.code, answer.body.reason]).toEqual([501, 'NotImplemented'])
    expect(answer.body.message).toMatch(message)
  })

  test('takes its objects along', async () => {
    const server = await withWidgets()
    const metadata = { name: 'a', finalizers: ['example.com/hold'] }
    await server.ask('POST', widgets, { body: widget('a', { metadata }) })
    await server.ask('POST', widgets, { body: widget('b') })
    const { body } = await server.ask('DELETE', `${crds}/widgets.example.com`)
    expect(body.metadata.finalizers).toEqual(['customresourcecleanup.apiextensions.k8s.io'])
    const { store } = server.api
    await until(server, () => store.list('widgets.example.com').length === 1)
    expect((await server.ask('POST', widgets, { body: widget('c') })).code).toBe(405)
    await server.ask('PATCH', `${widgets}/a`, { body: { metadata: { finalizers: null } }, type: merge })
    await until(server, () => store.list('customresourcedefinitions.apiextensions.k8s.io').length === 0)
    expect((await server.ask('GET', widgets)).code).toBe(404)
  })
})

describe('a custom resource', () => {
  test('is pruned, gets its defaults, and no status at first', async () => {
    const { ask } = await withWidgets()
    const body = widget('a', { spec: { color: 'red', other: 1 }, status: { phase: 'Done' } })
    const created = await ask('POST', widgets, { body })
    expect(created.code).toBe(201)
    expect(created.headers.warning).toBe('299 - "unknown field \\"spec.other\\""')
    expect(created.body.spec).toEqual({ size: 3, color: 'red' })
    expect(created.body.status).toBeUndefined()
    expect(created.body.metadata.generation).toBe(1)
    const { body: list } = await ask('GET', widgets)
    expect(list).toMatchObject({
      kind: 'WidgetList',
      items: [{ kind: 'Widget', apiVersion: 'example.com/v1' }],
    })
  })

  test.each([
    [
      'a value of another type',
      widget('a', { spec: { size: 'big' } }),
      422,
      /spec.size in body must be of type integer/,
    ],
    [
      'another kind',
      { ...widget('a'), kind: 'Gadget' },
      422,
      /kind: Invalid value: "Gadget": must be Widget/,
    ],
    [
      'another version',
      { ...widget('a'), apiVersion: 'example.com/v2' },
      400,
      'the API version in the data (example.com/v2) does not match the expected API version (example.com/v1)',
    ],
    ['no kind', { metadata: { name: 'a' } }, 400, /Object 'Kind' is missing in/],
  ])('is refused with %s', async (_, body, code, message) => {
    const { ask } = await withWidgets()
    const answer = await ask('POST', widgets, { body })
    expect(answer.code).toBe(code)
    expect(answer.body.message).toMatch(message)
  })

  test('has its status apart, and counts what else changes', async () => {
    const { ask } = await withWidgets()
    await ask('POST', widgets, { body: widget('a') })
    const both = { spec: { size: 9 }, status: { phase: 'Done' } }
    const status = (await ask('PATCH', `${widgets}/a/status`, { body: both, type: merge })).body
    expect(status).toMatchObject({ status: { phase: 'Done' }, metadata: { generation: 1 } })
    expect(status.spec).toBeUndefined()
    const main = (await ask('PATCH', `${widgets}/a`, { body: { spec: { size: 9 } }, type: merge })).body
    expect(main).toMatchObject({ spec: { size: 9 }, status: { phase: 'Done' }, metadata: { generation: 2 } })
  })

  test('without a status subresource has one status like any other field', async () => {
    const { ask } = await withWidgets(widgetCrd({ subresources: {} }))
    const { body } = await ask('POST', widgets, { body: widget('a', { status: { phase: 'Done' } }) })
    expect(body.status).toEqual({ phase: 'Done' })
    expect((await ask('GET', `${widgets}/a/status`)).code).toBe(404)
  })

  test('is put only by who says what was seen, and patched in no strategic way', async () => {
    const { ask } = await withWidgets()
    const { body } = await ask('POST', widgets, { body: widget('a') })
    expect((await ask('PUT', `${widgets}/a`, { body: widget('a') })).body.message).toBe(
      'widgets.example.com "a" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    )
    expect((await ask('PUT', `${widgets}/a`, { body: { ...body, spec: { size: 4 } } })).body.spec.size).toBe(
      4,
    )
    expect((await ask('PATCH', `${widgets}/a`, { body: {}, type: strategic })).code).toBe(415)
  })

  test('is applied, with conflicts over its own fields', async () => {
    const { ask } = await withWidgets()
    const path = (manager: string) => `${widgets}/a?fieldManager=${manager}`
    const sized = (size: number) => ({ body: widget('a', { spec: { size } }), type: apply })
    expect((await ask('PATCH', path('me'), sized(1))).code).toBe(201)
    const refused = await ask('PATCH', path('you'), sized(2))
    expect([refused.code, refused.body.details.causes[0].field]).toEqual([409, '.spec.size'])
  })

  test('is scaled where its definition says', async () => {
    const scale = { specReplicasPath: '.spec.size', statusReplicasPath: '.status.phase' }
    const { ask } = await withWidgets(widgetCrd({ subresources: { status: {}, scale } }))
    await ask('POST', widgets, { body: widget('a', { spec: {} }) })
    expect((await ask('GET', `${widgets}/a/scale`)).body.spec).toEqual({ replicas: 3 })
    await ask('PATCH', `${widgets}/a/scale`, { body: { spec: { replicas: 5 } }, type: merge })
    expect((await ask('GET', `${widgets}/a`)).body.spec.size).toBe(5)
  })

  test('reads the same in all its versions', async () => {
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
    const versions = [
      { name: 'v1', served: true, storage: true, schema },
      { name: 'v1beta1', served: true, storage: false, schema },
      { name: 'v1alpha1', served: false, storage: false, schema },
    ]
    const server = await withWidgets(widgetCrd({}, { versions }))
    const { ask } = server
    const beta = widgets.replace('v1', 'v1beta1')
    const watched = await server.watch(`${beta}?watch=1`)
    await ask('POST', beta, { body: { ...widget('a'), apiVersion: 'example.com/v1beta1', spec: { x: 1 } } })
    expect((await ask('GET', `${widgets}/a`)).body).toMatchObject({
      apiVersion: 'example.com/v1',
      spec: { x: 1 },
    })
    expect((await ask('GET', beta)).body.items[0].apiVersion).toBe('example.com/v1beta1')
    expect((await watched.next())?.object.apiVersion).toBe('example.com/v1beta1')
    expect(server.api.store.list('widgets.example.com')[0]?.apiVersion).toBe('example.com/v1')
    expect((await ask('GET', widgets.replace('v1', 'v1alpha1'))).code).toBe(404)
    const { body } = await ask('GET', '/apis/example.com')
    expect(body.preferredVersion.version).toBe('v1')
  })

  test('shows the columns that its definition names', async () => {
    const additionalPrinterColumns = [
      { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
      { name: 'Color', type: 'string', priority: 1, jsonPath: '.spec.color' },
      { name: 'Since', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    ]
    const { ask } = await withWidgets(widgetCrd({ additionalPrinterColumns }))
    await ask('POST', widgets, { body: widget('a', { spec: {} }) })
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
    const { body } = await ask('GET', widgets, { headers: { accept } })
    expect(body.columnDefinitions).toMatchObject([
      { name: 'Name' },
      ...additionalPrinterColumns.map(({ jsonPath, ...column }) => column),
    ])
    expect(body.rows[0].cells).toEqual(['a', 3, null, '0s'])
  })
})
