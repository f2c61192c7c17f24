import { expect, test } from 'vitest'
import { differing } from './support/differences.ts'
import { nameOf } from './support/json.ts'
import { client, expectRefusal, status, useNamespace } from './support/suite.ts'

const space = useNamespace()
const map = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })

test('who brings no credentials is not let in', async () => {
  const answer = await client.ask(space.path('configmaps'), {
    headers: { authorization: 'Bearer wrong' },
    anonymous: true,
  })
  expectRefusal(answer, status(401, 'Unauthorized', 'Unauthorized'))
})

test('a method that a collection does not have is a 405', async () => {
  const answer = await client.ask(space.path('configmaps'), { method: 'PUT', body: map('a') })
  expectRefusal(
    answer,
    status(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {}),
  )
})

test('what nobody can produce is a 406', async () => {
  const answer = await client.ask(space.path('configmaps'), { headers: { accept: 'text/html' } })
  expectRefusal(answer, status(406, 'NotAcceptable', differing.notAcceptable, {}))
})

test('a body of a type that is not understood is a 415', async () => {
  const answer = await client.ask(space.path('configmaps'), { method: 'POST', body: 'a', type: 'text/plain' })
  expectRefusal(
    answer,
    status(
      415,
      'UnsupportedMediaType',
      expect.stringMatching(
        /^the body of the request was in an unknown format - accepted media types include: application\/json, application\/yaml/,
      ),
    ),
  )
})

test('a patch of a type that is not understood is a 415', async () => {
  await client.create(space.path('configmaps'), map('patched'))
  const path = `${space.path('configmaps')}/patched`
  const answer = await client.ask(path, { method: 'PATCH', body: {}, type: 'application/json' })
  expectRefusal(answer, status(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {}))
})

test('a body that is no JSON is a 400', async () => {
  const answer = await client.ask(space.path('configmaps'), { method: 'POST', body: '{"a":' })
  expect(answer.code).toBe(400)
  expect(answer.body).toMatchObject({ reason: 'BadRequest', status: 'Failure' })
})

test('a body may be YAML', async () => {
  const body = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yaml\ndata:\n  a: "1"\n'
  const answer = await client.ask(space.path('configmaps'), {
    method: 'POST',
    body,
    type: 'application/yaml',
  })
  expect(answer).toMatchObject({ code: 201, body: { data: { a: '1' } } })
})

test('the kind of the body must be that of the path', async () => {
  const body = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } }
  const answer = await client.ask(space.path('configmaps'), { method: 'POST', body })
  expectRefusal(
    answer,
    status(
      400,
      'BadRequest',
      expect.stringMatching(/^Secret in version "v1" cannot be handled as a ConfigMap: /),
    ),
  )
})

test('a kind and a version may be left out of the body', async () => {
  const made = await client.create(space.path('configmaps'), { metadata: { name: 'bare' } })
  expect(made).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' })
})

test('a field of the wrong type is a 400 that names it', async () => {
  const body = { ...map('typed'), data: { a: 1 } }
  const answer = await client.ask(space.path('configmaps'), { method: 'POST', body })
  expectRefusal(answer, status(400, 'BadRequest', differing.wrongType))
})

test('the name in the body must be that of the path', async () => {
  const made = await client.create(space.path('configmaps'), map('here'))
  const answer = await client.ask(`${space.path('configmaps')}/${nameOf(made)}`, {
    method: 'PUT',
    body: map('there'),
  })
  expectRefusal(
    answer,
    status(400, 'BadRequest', 'the name of the object (there) does not match the name on the URL (here)'),
  )
})

test('the namespace in the body must be that of the path', async () => {
  const body = { ...map('a'), metadata: { name: 'a', namespace: 'default' } }
  const answer = await client.ask(space.path('configmaps'), { method: 'POST', body })
  expectRefusal(
    answer,
    status(
      400,
      'BadRequest',
      'the namespace of the provided object does not match the namespace sent on the request',
    ),
  )
})

test('an object needs a namespace that is there', async () => {
  const answer = await client.ask('/api/v1/namespaces/contract-nowhere/configmaps', {
    method: 'POST',
    body: map('a'),
  })
  expectRefusal(
    answer,
    status(404, 'NotFound', 'namespaces "contract-nowhere" not found', {
      name: 'contract-nowhere',
      kind: 'namespaces',
    }),
  )
})

test('an unknown dryRun is a 422 that says what is known', async () => {
  const answer = await client.ask(`${space.path('configmaps')}?dryRun=Some`, {
    method: 'POST',
    body: map('dry'),
  })
  const message = differing.wrongDryRun
  expectRefusal(
    answer,
    status(422, 'Invalid', `CreateOptions.meta.k8s.io "" is invalid: dryRun: ${message}`, {
      group: 'meta.k8s.io',
      kind: 'CreateOptions',
      causes: [{ reason: 'FieldValueNotSupported', message, field: 'dryRun' }],
    }),
  )
})

test('a selector that cannot be read is a 400', async () => {
  const answer = await client.ask(`${space.path('configmaps')}?labelSelector=a%20in`)
  expectRefusal(
    answer,
    status(400, 'BadRequest', expect.stringMatching(/^unable to parse requirement: found '.*',? expected: /)),
  )
})
