import { afterAll, beforeAll, expect, test } from 'vitest'
import { patchTypes } from './support/client.ts'
import { differing } from './support/differences.ts'
import { at, list, ownershipOf, text } from './support/json.ts'
import { condition } from './support/pods.ts'
import { client, expectRefusal, needing, status, useNamespace } from './support/suite.ts'
import { became, gone } from './support/watch.ts'

const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
// A group of its own, so that runs do not disturb each other.
const group = `g${Math.random().toString(36).slice(2, 8)}.contract.example.com`
const name = `webs.${group}`
const apiVersion = `${group}/v1`
const space = useNamespace()
const customs = needing('custom objects')
const webs = () => space.path('webs', apiVersion)

const item = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string' }, size: { type: 'integer' } },
}
const schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['host'],
      properties: {
        host: { type: 'string', pattern: '^[a-z]+$' },
        replicas: { type: 'integer', minimum: 0, maximum: 5, default: 1 },
        mode: { type: 'string', enum: ['a', 'b'] },
        items: {
          type: 'array',
          items: item,
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
        },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
    status: { type: 'object', properties: { replicas: { type: 'integer' }, ready: { type: 'boolean' } } },
  },
}
const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name },
  spec: {
    group,
    scope: 'Namespaced',
    names: { plural: 'webs', kind: 'Web', shortNames: ['w'], categories: ['all'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: schema },
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
        },
        additionalPrinterColumns: [
          { name: 'Host', type: 'string', jsonPath: '.spec.host' },
          { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas' },
        ],
      },
    ],
  },
}
const web = (named: string, spec: object = { host: 'a' }) => ({
  apiVersion,
  kind: 'Web',
  metadata: { name: named },
  spec,
})
const create = (body: unknown, query = '') => client.ask(webs() + query, { method: 'POST', body })
const make = (body: unknown) => client.create(webs(), body)

beforeAll(async () => {
  const made = await client.create(crds, definition)
  expect(made.spec).toMatchObject({
    names: { singular: 'web', listKind: 'WebList' },
    conversion: { strategy: 'None' },
  })
  await established(name)
})

afterAll(async () => {
  await client.ask(`${crds}/${name}`, { method: 'DELETE' })
})

test('the definition tells which versions are stored and under what names', async () => {
  expect((await client.get(`${crds}/${name}`)).status).toMatchObject({
    acceptedNames: {
      plural: 'webs',
      singular: 'web',
      kind: 'Web',
      listKind: 'WebList',
      shortNames: ['w'],
      categories: ['all'],
    },
    storedVersions: ['v1'],
  })
})

test('the new resource is in discovery', async () => {
  const { body } = await client.ask(`/apis/${apiVersion}`)
  const resources = list(body, 'resources')
  expect(resources.find((one) => at(one, 'name') === 'webs')).toMatchObject({
    singularName: 'web',
    namespaced: true,
    kind: 'Web',
    shortNames: ['w'],
    categories: ['all'],
  })
  expect(resources.map((one) => text(one, 'name'))).toEqual(
    expect.arrayContaining(['webs/status', 'webs/scale']),
  )
  expect(JSON.stringify((await client.ask('/apis')).body)).toContain(group)
})

needing('openapi v3')('the new resource’s schema is published', async () => {
  const path = `apis/${apiVersion}`
  const published = async () => (await client.ask(`/openapi/v3/${path}`)).code === 200
  for (let tries = 0; tries < 100 && !(await published()); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const { text: said } = await client.ask(`/openapi/v3/${path}`)
  expect(said).toContain('"pattern":"^[a-z]+$"')
})

customs('defaults are set and unknown fields pruned, but where they are preserved', async () => {
  const made = await make(web('pruned', { host: 'a', unknown: 1, free: { any: [1] } }))
  expect(made.spec).toEqual({ host: 'a', replicas: 1, free: { any: [1] } })
  expect(made.metadata.generation).toBe(1)
})

customs('what breaks the schema is refused, cause by cause', async () => {
  const { code, body } = await create(web('wrong', { host: 'A', replicas: 9, mode: 'c' }))
  expect(code).toBe(422)
  expect(body).toMatchObject({ reason: 'Invalid', details: { name: 'wrong', group, kind: 'Web' } })
  expect(list(body, 'details', 'causes')).toHaveLength(3)
  expect(list(body, 'details', 'causes')).toEqual(
    expect.arrayContaining([
      {
        reason: 'FieldValueInvalid',
        message: `Invalid value: "A": spec.host in body should match '^[a-z]+$'`,
        field: 'spec.host',
      },
      {
        reason: 'FieldValueInvalid',
        message: 'Invalid value: 9: spec.replicas in body should be less than or equal to 5',
        field: 'spec.replicas',
      },
      {
        reason: 'FieldValueNotSupported',
        message: 'Unsupported value: "c": supported values: "a", "b"',
        field: 'spec.mode',
      },
    ]),
  )
  expect(text(body, 'message')).toMatch(new RegExp(`^Web\\.${group} "wrong" is invalid: \\[`))
})

customs('a field that is required is named', async () => {
  expectRefusal(
    await create(web('lacking', {})),
    status(422, 'Invalid', `Web.${group} "lacking" is invalid: spec.host: Required value`, {
      name: 'lacking',
      group,
      kind: 'Web',
      causes: [{ reason: 'FieldValueRequired', message: 'Required value', field: 'spec.host' }],
    }),
  )
})

customs('a value of the wrong type is a 422', async () => {
  const { code, body } = await create(web('typed', { host: 1 }))
  expect(code).toBe(422)
  const message = 'Invalid value: "integer": spec.host in body must be of type string: "integer"'
  expect(list(body, 'details', 'causes')).toEqual([
    { reason: differing.wrongTypeReason, message, field: 'spec.host' },
  ])
})

needing('custom objects', 'fieldValidation')(
  'Strict names unknown fields of custom resources too',
  async () => {
    expectRefusal(
      await create(web('strict', { host: 'a', unknown: 1 }), '?fieldValidation=Strict'),
      status(
        400,
        'BadRequest',
        `Web in version "v1" cannot be handled as a Web: strict decoding error: unknown field "spec.unknown"`,
      ),
    )
  },
)

customs('a status is written through its subresource only, and makes no new generation', async () => {
  const made = await make({ ...web('stated'), status: { ready: true } })
  expect(made.status).toBeUndefined()
  const stated = await client.patch(`${webs()}/stated/status`, 'merge', {
    spec: { host: 'b' },
    status: { ready: true },
  })
  expect(stated).toMatchObject({ spec: { host: 'a' }, status: { ready: true }, metadata: { generation: 1 } })
  const edited = await client.patch(`${webs()}/stated`, 'merge', {
    spec: { host: 'c' },
    status: { ready: false },
  })
  expect(edited).toMatchObject({ spec: { host: 'c' }, status: { ready: true }, metadata: { generation: 2 } })
})

customs('scale reads and writes the paths that the definition names', async () => {
  await make(web('scaled', { host: 'a', replicas: 2 }))
  const scaled = await client.patch(`${webs()}/scaled/scale`, 'merge', { spec: { replicas: 3 } })
  expect(scaled).toMatchObject({ kind: 'Scale', apiVersion: 'autoscaling/v1', spec: { replicas: 3 } })
  expect(at(await client.get(`${webs()}/scaled`), 'spec', 'replicas')).toBe(3)
})

customs('tables have the columns that the definition names', async () => {
  await make(web('tabled', { host: 'h' }))
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
  const { body } = await client.ask(`${webs()}/tabled`, { headers: { accept } })
  expect(list(body, 'columnDefinitions').map((one) => text(one, 'name'))).toEqual([
    'Name',
    'Host',
    'Replicas',
  ])
  expect(at(body, 'rows', 0, 'cells')).toEqual(['tabled', 'h', 1])
})

customs('applies merge lists by the keys of the schema', async () => {
  const path = `${webs()}/applied`
  await client.apply(path, 'one', web('applied', { host: 'a', items: [{ name: 'x', size: 1 }] }))
  const after = await client.apply(path, 'two', {
    ...web('applied'),
    spec: { items: [{ name: 'y', size: 2 }] },
  })
  expect(at(after, 'spec', 'items')).toEqual([
    { name: 'x', size: 1 },
    { name: 'y', size: 2 },
  ])
  expect(ownershipOf(after)['two Apply']).toEqual({
    'f:spec': { 'f:items': { 'k:{"name":"y"}': { '.': {}, 'f:name': {}, 'f:size': {} } } },
  })
})

customs('custom resources know no strategic patch', async () => {
  await make(web('strategic'))
  const answer = await client.ask(`${webs()}/strategic`, {
    method: 'PATCH',
    type: patchTypes.strategic,
    body: {},
  })
  expect(answer).toMatchObject({ code: 415, body: { reason: 'UnsupportedMediaType' } })
})

customs('an update of a custom resource must say its version', async () => {
  const { resourceVersion: _, ...metadata } = (await make(web('unversioned'))).metadata
  const answer = await client.ask(`${webs()}/unversioned`, {
    method: 'PUT',
    body: { ...web('unversioned'), metadata },
  })
  const message = differing.noResourceVersion
  expect(answer).toMatchObject({
    code: 422,
    body: { reason: 'Invalid', details: { causes: [{ field: 'metadata.resourceVersion', message }] } },
  })
})

test.each([
  [
    'whose name is not plural.group',
    { ...definition, metadata: { name: `other.${group}` } },
    'metadata.name',
  ],
  [
    'without a schema',
    {
      ...definition,
      metadata: { name: `bare.${group}` },
      spec: {
        ...definition.spec,
        names: { plural: 'bare', kind: 'Bare' },
        versions: [{ name: 'v1', served: true, storage: true }],
      },
    },
    'spec.versions[0].schema.openAPIV3Schema',
  ],
])('a definition %s is refused', async (_, body, field) => {
  const { code, body: said } = await client.ask(crds, { method: 'POST', body })
  expect(code).toBe(422)
  expect(list(said, 'details', 'causes').map((cause) => at(cause, 'field'))).toContain(field)
})

customs('a number or a string is either', async () => {
  const spec = { type: 'object', properties: { port: { 'x-kubernetes-int-or-string': true } } }
  await another('Either', { openAPIV3Schema: { type: 'object', properties: { spec } } })
  for (const port of ['http', 80]) {
    const either = { apiVersion, kind: 'Either', metadata: { name: `e${port}` }, spec: { port } }
    expect(await client.create(space.path('eithers', apiVersion), either)).toMatchObject({ spec: { port } })
  }
  const body = { apiVersion, kind: 'Either', metadata: { name: 'neither' }, spec: { port: true } }
  const refused = await client.ask(space.path('eithers', apiVersion), { method: 'POST', body })
  expect(refused.code).toBe(422)
  await client.delete(`${crds}/eithers.${group}`)
})

test('with the definition go all of its objects and the resource', async () => {
  const goner = await another('Goner', { openAPIV3Schema: schema })
  await client.delete(`${crds}/${goner}`)
  await gone(client, { collection: crds, name: goner })
  const { code } = await client.ask(space.path('goners', apiVersion))
  expect(code).toBe(404)
})

/** Another kind of the group; the name of its definition. */
async function another(kind: string, versionSchema: object): Promise<string> {
  const plural = `${kind.toLowerCase()}s`
  const [version] = definition.spec.versions
  await client.create(crds, {
    ...definition,
    metadata: { name: `${plural}.${group}` },
    spec: {
      ...definition.spec,
      names: { plural, kind },
      versions: [{ ...version, subresources: {}, schema: versionSchema }],
    },
  })
  await established(`${plural}.${group}`)
  return `${plural}.${group}`
}

async function established(definitionName: string): Promise<void> {
  await became(
    client,
    { collection: crds, name: definitionName },
    (crd) => condition(crd, 'NamesAccepted') === 'True' && condition(crd, 'Established') === 'True',
  )
}
