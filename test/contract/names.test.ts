import { expect, test } from 'vitest'
import { differing } from './support/differences.ts'
import { type Fields, list, text } from './support/json.ts'
import { client, expectRefusal, status, useNamespace } from './support/suite.ts'

const space = useNamespace()

const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
const labelValue =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
const configKey =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"

const container = { name: 'main', image: 'docker.io/kubesync-test/plain:1' }
const labels = { app: 'a' }
const template = { metadata: { labels }, spec: { containers: [container] } }
const deployment = (spec: Fields): Fields => ({ metadata: { name: 'refused' }, spec })
const pod = (spec: Fields): Fields => ({ metadata: { name: 'refused' }, spec })

interface Refused {
  readonly what: string
  readonly plural: string
  readonly group?: string
  readonly kind: string
  readonly body: Fields
  /** Reason, field and message of each cause. */
  readonly causes: readonly (readonly [string, string, string])[]
}

const refused: readonly Refused[] = [
  {
    what: 'a name with capitals',
    plural: 'configmaps',
    kind: 'ConfigMap',
    body: { metadata: { name: 'Capital' } },
    causes: [['FieldValueInvalid', 'metadata.name', `Invalid value: "Capital": ${subdomain}`]],
  },
  {
    what: 'no name',
    plural: 'configmaps',
    kind: 'ConfigMap',
    body: { metadata: {} },
    causes: [['FieldValueRequired', 'metadata.name', 'Required value: name or generateName is required']],
  },
  {
    what: 'a label value with a blank',
    plural: 'configmaps',
    kind: 'ConfigMap',
    body: { metadata: { name: 'refused', labels: { a: 'b c' } } },
    causes: [['FieldValueInvalid', 'metadata.labels', `Invalid value: "b c": ${labelValue}`]],
  },
  {
    what: 'a key with a slash',
    plural: 'configmaps',
    kind: 'ConfigMap',
    body: { metadata: { name: 'refused' }, data: { 'a/b': '' } },
    causes: [['FieldValueInvalid', 'data[a/b]', `Invalid value: "a/b": ${configKey}`]],
  },
  {
    what: 'a pod without containers',
    plural: 'pods',
    kind: 'Pod',
    body: pod({ containers: [] }),
    causes: [['FieldValueRequired', 'spec.containers', 'Required value']],
  },
  {
    what: 'a container without an image',
    plural: 'pods',
    kind: 'Pod',
    body: pod({ containers: [{ name: 'main' }] }),
    causes: [['FieldValueRequired', 'spec.containers[0].image', 'Required value']],
  },
  {
    what: 'a container without a name',
    plural: 'pods',
    kind: 'Pod',
    body: pod({ containers: [{ image: 'a' }] }),
    causes: [['FieldValueRequired', 'spec.containers[0].name', 'Required value']],
  },
  {
    what: 'a container name with capitals',
    plural: 'pods',
    kind: 'Pod',
    body: pod({ containers: [{ name: 'Main', image: 'a' }] }),
    causes: [['FieldValueInvalid', 'spec.containers[0].name', `Invalid value: "Main": ${label}`]],
  },
  {
    what: 'two containers of one name',
    plural: 'pods',
    kind: 'Pod',
    body: pod({ containers: [container, container] }),
    causes: [['FieldValueDuplicate', 'spec.containers[1].name', 'Duplicate value: "main"']],
  },
  {
    what: 'a mount of a volume that is not there',
    plural: 'pods',
    kind: 'Pod',
    body: pod({ containers: [{ ...container, volumeMounts: [{ name: 'v', mountPath: '/v' }] }] }),
    causes: [['FieldValueNotFound', 'spec.containers[0].volumeMounts[0].name', 'Not found: "v"']],
  },
  {
    what: 'a selector that does not match the template',
    plural: 'deployments',
    group: 'apps/v1',
    kind: 'Deployment',
    body: deployment({ selector: { matchLabels: { app: 'b' } }, template }),
    causes: [['FieldValueInvalid', 'spec.template.metadata.labels', differing.selectorMismatch]],
  },
  {
    what: 'a Deployment without containers',
    plural: 'deployments',
    group: 'apps/v1',
    kind: 'Deployment',
    body: deployment({ selector: { matchLabels: labels }, template: { metadata: { labels }, spec: {} } }),
    causes: [['FieldValueRequired', 'spec.template.spec.containers', 'Required value']],
  },
  {
    what: 'negative replicas',
    plural: 'deployments',
    group: 'apps/v1',
    kind: 'Deployment',
    body: deployment({ replicas: -1, selector: { matchLabels: labels }, template }),
    causes: [['FieldValueInvalid', 'spec.replicas', 'Invalid value: -1: must be greater than or equal to 0']],
  },
  {
    what: 'a Service without ports',
    plural: 'services',
    kind: 'Service',
    body: { metadata: { name: 'refused' }, spec: { selector: labels } },
    causes: [['FieldValueRequired', 'spec.ports', 'Required value']],
  },
]

test.each(refused)('$what is refused', async ({ plural, group, kind, body, causes }) => {
  const answer = await client.ask(space.path(plural, group), { method: 'POST', body })
  const found = list(answer.body, 'details', 'causes')
  const wanted = causes.map(([reason, field, message]) => ({ reason, field, message }))
  expect(found).toEqual(expect.arrayContaining(wanted))
  expect(answer.body).toMatchObject({
    ...status(422, 'Invalid', expect.stringContaining(' is invalid: ')),
    details: { kind, ...(group === undefined ? {} : { group: group.split('/')[0] }) },
  })
  const said = found.map((cause) => `${text(cause, 'field')}: ${text(cause, 'message')}`)
  for (const one of said) expect(text(answer.body, 'message')).toContain(one)
})

test('a refusal of one field says all of it', async () => {
  const body = pod({ containers: [{ name: 'main' }] })
  const answer = await client.ask(space.path('pods'), { method: 'POST', body })
  expectRefusal(
    answer,
    status(422, 'Invalid', 'Pod "refused" is invalid: spec.containers[0].image: Required value', {
      name: 'refused',
      kind: 'Pod',
      causes: [
        { reason: 'FieldValueRequired', message: 'Required value', field: 'spec.containers[0].image' },
      ],
    }),
  )
})

test('a namespace has a name that is a label', async () => {
  const answer = await client.ask('/api/v1/namespaces', {
    method: 'POST',
    body: { metadata: { name: 'Capital' } },
  })
  expect(answer.code).toBe(422)
  expect(list(answer.body, 'details', 'causes')).toContainEqual({
    reason: 'FieldValueInvalid',
    field: 'metadata.name',
    message: `Invalid value: "Capital": ${label}`,
  })
})

test('the selector of a Deployment cannot be changed', async () => {
  const path = space.path('deployments', 'apps/v1')
  const made = {
    metadata: { name: 'fixed' },
    spec: { replicas: 0, selector: { matchLabels: labels }, template },
  }
  await client.create(path, made)
  const other = { metadata: { labels: { app: 'b' } }, spec: template.spec }
  const spec = { replicas: 0, selector: { matchLabels: { app: 'b' } }, template: other }
  const answer = await client.ask(`${path}/fixed`, { method: 'PUT', body: { ...made, spec } })
  const message = differing.selectorFixed
  expectRefusal(
    answer,
    status(422, 'Invalid', `Deployment.apps "fixed" is invalid: spec.selector: ${message}`, {
      name: 'fixed',
      group: 'apps',
      kind: 'Deployment',
      causes: [{ reason: 'FieldValueInvalid', message, field: 'spec.selector' }],
    }),
  )
})

test('most of a pod cannot be changed', async () => {
  const path = space.path('pods')
  await client.create(path, {
    metadata: { name: 'fixed' },
    spec: { containers: [{ ...container, command: ['sleep', '1'] }], terminationGracePeriodSeconds: 0 },
  })
  const body = [{ op: 'add', path: '/spec/containers/0/command', value: ['sleep', '2'] }]
  const answer = await client.ask(`${path}/fixed`, {
    method: 'PATCH',
    type: 'application/json-patch+json',
    body,
  })
  expect(answer.body).toMatchObject({
    reason: 'Invalid',
    code: 422,
    details: { name: 'fixed', kind: 'Pod', causes: [{ reason: 'FieldValueForbidden', field: 'spec' }] },
  })
  expect(text(answer.body, 'message')).toMatch(
    /^Pod "fixed" is invalid: spec: Forbidden: pod updates may not change fields other than `spec\.containers\[\*\]\.image`/,
  )
  await client.patch(`${path}/fixed`, 'merge', { metadata: { labels: { still: 'possible' } } })
  await client.delete(`${path}/fixed`, { gracePeriodSeconds: 0 })
})
