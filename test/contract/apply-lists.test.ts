import { expect, test } from 'vitest'
import { patchTypes } from './support/client.ts'
import { differing } from './support/differences.ts'
import { at, type Fields, list, ownershipOf, text } from './support/json.ts'
import { client, useNamespace } from './support/suite.ts'

const space = useNamespace()
const image = 'docker.io/kubesync-test/plain:1'
const mapPath = (name: string) => `${space.path('configmaps')}/${name}`

const deploymentPath = (name: string) => `${space.path('deployments', 'apps/v1')}/${name}`
const applyDeployment = (name: string, manager: string, spec: Fields) =>
  client.apply(deploymentPath(name), manager, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec,
  })
const template = (containers: unknown) => ({ template: { spec: { containers } } })
const deployment = (name: string, containers: unknown) => ({
  replicas: 0,
  selector: { matchLabels: { app: name } },
  template: { metadata: { labels: { app: name } }, spec: { containers } },
})
const containersOf = (found: unknown) => list(found, 'spec', 'template', 'spec', 'containers')

test('lists are merged by their key: containers by name, ports by number and protocol, env by name', async () => {
  const ports = (port: number, name: string) => [{ containerPort: port, name, protocol: 'TCP' }]
  await applyDeployment(
    'keyed',
    'one',
    deployment('keyed', [{ name: 'a', image, ports: ports(80, 'http'), env: [{ name: 'A', value: '1' }] }]),
  )
  const after = await applyDeployment(
    'keyed',
    'two',
    template([
      { name: 'a', ports: ports(81, 'more'), env: [{ name: 'B', value: '2' }] },
      { name: 'b', image },
    ]),
  )
  expect(containersOf(after)).toMatchObject([
    {
      name: 'a',
      image,
      ports: [{ containerPort: 80 }, { containerPort: 81, name: 'more' }],
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
    },
    { name: 'b' },
  ])
  expect(ownershipOf(after)['two Apply']).toEqual({
    'f:spec': {
      'f:template': {
        'f:spec': {
          'f:containers': {
            'k:{"name":"a"}': {
              '.': {},
              'f:name': {},
              'f:ports': {
                'k:{"containerPort":81,"protocol":"TCP"}': {
                  '.': {},
                  'f:containerPort': {},
                  'f:name': {},
                  'f:protocol': {},
                },
              },
              'f:env': { 'k:{"name":"B"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
            },
            'k:{"name":"b"}': { '.': {}, 'f:image': {}, 'f:name': {} },
          },
        },
      },
    },
  })
})

test('an item that its manager no longer lists goes', async () => {
  const a = { name: 'a', image }
  await applyDeployment('items', 'one', deployment('items', [a, { name: 'b', image }]))
  const after = await applyDeployment('items', 'one', deployment('items', [a]))
  expect(containersOf(after)).toHaveLength(1)
})

test('an item stays as long as somebody else lists it', async () => {
  const both = [
    { name: 'a', image },
    { name: 'b', image },
  ]
  await applyDeployment('kept', 'one', deployment('kept', both))
  await applyDeployment('kept', 'two', template([{ name: 'b', image }]))
  const after = await applyDeployment('kept', 'one', deployment('kept', both.slice(0, 1)))
  expect(containersOf(after)).toMatchObject([{ name: 'a' }, { name: 'b' }])
})

test('a conflict inside a list names the item by its key', async () => {
  await applyDeployment(
    'inside',
    'one',
    deployment('inside', [{ name: 'a', image, env: [{ name: 'A', value: '1' }] }]),
  )
  const body = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'inside' },
    spec: template([{ name: 'a', env: [{ name: 'A', value: '2' }] }]),
  }
  const answer = await client.ask(`${deploymentPath('inside')}?fieldManager=two`, {
    method: 'PATCH',
    type: patchTypes.apply,
    body,
  })
  expect(text(answer.body, 'message')).toBe(
    'Apply failed with 1 conflict: conflict with "one": .spec.template.spec.containers[name="a"].env[name="A"].value',
  )
})

test('a set keeps what others put in', async () => {
  const path = mapPath('set')
  const body = (finalizers: string[]) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'set', finalizers },
  })
  await client.apply(path, 'one', body(['example.com/a', 'example.com/b']))
  await client.apply(path, 'two', body(['example.com/b', 'example.com/c']))
  const after = await client.apply(path, 'one', body(['example.com/a']))
  expect(after.metadata.finalizers).toEqual(['example.com/a', 'example.com/b', 'example.com/c'])
  expect(ownershipOf(after)['one Apply']).toEqual({
    'f:metadata': { 'f:finalizers': { 'v:"example.com/a"': {} } },
  })
  await client.patch(path, 'merge', { metadata: { finalizers: null } })
})

test('an atomic value is owned as a whole', async () => {
  const selector = { app: 'a', tier: 'b' }
  const path = `${space.path('services')}/atomic`
  const made = await client.apply(path, 'one', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'atomic' },
    spec: { selector, ports: [{ port: 80, protocol: 'TCP' }] },
  })
  expect(at(ownershipOf(made)['one Apply'], 'f:spec', 'f:selector')).toEqual(differing.ownedSelector)
  expect(at(ownershipOf(made)['one Apply'], 'f:spec', 'f:ports')).toEqual({
    'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {}, 'f:protocol': {} },
  })
})

test('the same key twice is refused', async () => {
  const containers = [
    { name: 'a', image },
    { name: 'a', image },
  ]
  const body = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'double' },
    spec: deployment('double', containers),
  }
  const answer = await client.ask(`${deploymentPath('double')}?fieldManager=one`, {
    method: 'PATCH',
    type: patchTypes.apply,
    body,
  })
  expect(answer).toMatchObject({
    code: 500,
    body: { message: expect.stringContaining('duplicate entries for key [name="a"]') },
  })
})
