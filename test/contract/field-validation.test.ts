import { expect } from 'vitest'
import { client, expectRefusal, needing, status, useNamespace } from './support/suite.ts'

const space = useNamespace()
const needs = needing('fieldValidation')
const containers = [{ name: 'main', image: 'a', imagee: 'b' }]
const typo = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers, extra: 1 },
})
const create = (query: string, body: unknown) =>
  client.ask(`${space.path('pods')}?dryRun=All${query}`, { method: 'POST', body })

needs('Strict refuses unknown fields and names them all', async () => {
  expectRefusal(
    await create('&fieldValidation=Strict', typo('strict')),
    status(
      400,
      'BadRequest',
      'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containers[0].imagee", unknown field "spec.extra"',
    ),
  )
})

needs('Strict refuses keys that are there twice', async () => {
  const body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"twice"},"data":{"a":"1","a":"2"}}'
  expectRefusal(
    await client.ask(`${space.path('configmaps')}?fieldValidation=Strict`, { method: 'POST', body }),
    status(
      400,
      'BadRequest',
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: duplicate field "data.a"',
    ),
  )
})

needs('Warn, the default, drops them and tells of them in a header', async () => {
  for (const query of ['', '&fieldValidation=Warn']) {
    const { code, headers, text } = await create(query, typo('warned'))
    expect(code).toBe(201)
    expect(headers.warning).toContain('299 - "unknown field \\"spec.containers[0].imagee\\""')
    expect(headers.warning).toContain('299 - "unknown field \\"spec.extra\\""')
    expect(text).not.toContain('imagee')
  }
})

needs('Ignore drops them and says nothing', async () => {
  const { code, headers } = await create('&fieldValidation=Ignore', typo('ignored'))
  expect(code).toBe(201)
  expect(headers.warning ?? '').not.toContain('unknown field')
})

needs('patches are validated too', async () => {
  const path = `${space.path('configmaps')}/patched`
  await client.create(space.path('configmaps'), { metadata: { name: 'patched' } })
  const merge = { method: 'PATCH', type: 'application/merge-patch+json', body: { dat: {} } }
  expect(await client.ask(`${path}?fieldValidation=Strict`, merge)).toMatchObject({
    code: 422,
    body: {
      reason: 'Invalid',
      message: expect.stringMatching(/strict decoding error: unknown field "dat"$/),
    },
  })
})

needs('an unknown fieldValidation is refused', async () => {
  expect(await create('&fieldValidation=Some', typo('unknown'))).toMatchObject({
    code: 422,
    body: {
      reason: 'Invalid',
      details: { causes: [{ field: 'fieldValidation', reason: 'FieldValueNotSupported' }] },
    },
  })
})
