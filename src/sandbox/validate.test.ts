import { describe, expect, test } from 'vitest'
import { schemaOfKind, widgetSchema, widgetSpec } from './apply/examples.ts'
import { ApiFailure, type Cause } from './failure.ts'
import type { KubeObject } from './object.ts'
import type { ResourceInfo, Schema } from './schema.ts'
import { checkObject, type UnknownFields, validate } from './validate.ts'

function infoOf(apiVersion: string, kind: string): ResourceInfo {
  const [version = '', group = ''] = apiVersion.split('/').reverse()
  const names = {
    plural: `${kind.toLowerCase()}s`,
    singular: kind.toLowerCase(),
    shortNames: [],
    categories: [],
  }
  return { group, version, kind, ...names, namespaced: true, verbs: [], subresources: [] }
}

function known(object: KubeObject, unknown: UnknownFields = 'strict') {
  const { apiVersion, kind } = object
  return validate(
    object,
    { info: infoOf(apiVersion, kind), schema: schemaOfKind(apiVersion, kind), custom: false },
    unknown,
  )
}

function deployment(spec: unknown): KubeObject {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec }
}

const podSpec = (spec: unknown) => deployment({ template: { spec } })

describe('an object of a kind that Kubernetes has', () => {
  test('that has fields which do not exist is refused, told of, or loses them', () => {
    const object = deployment({ foo: 1, template: { spec: { containers: [{ name: 'c', zzz: 1 }] } } })
    const fields = ['unknown field "spec.foo"', 'unknown field "spec.template.spec.containers[0].zzz"']
    expect(() => known(object, 'strict')).toThrow(
      expect.objectContaining({
        code: 400,
        reason: 'BadRequest',
        message: `Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: ${fields.join(', ')}`,
      }),
    )
    expect(known(object, 'warn').warnings).toEqual(fields)
    const { object: kept, warnings } = known(object, 'ignore')
    expect(warnings).toEqual([])
    expect(kept.spec).not.toHaveProperty('foo')
  })

  test.each([
    [
      deployment({ replicas: 'x' }),
      'cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      deployment({ replicas: 1.5 }),
      'cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      deployment([1]),
      'cannot unmarshal array into Go struct field Deployment.spec of type v1.DeploymentSpec',
    ],
    [
      podSpec({ containers: {} }),
      'cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container',
    ],
    [
      podSpec({ containers: [{ name: 3 }] }),
      'cannot unmarshal number into Go struct field Container.spec.template.spec.containers.name of type string',
    ],
    [
      podSpec({ nodeSelector: { a: true } }),
      'cannot unmarshal bool into Go struct field PodSpec.spec.template.spec.nodeSelector of type string',
    ],
    [
      podSpec({ nodeSelector: 3 }),
      'cannot unmarshal number into Go struct field PodSpec.spec.template.spec.nodeSelector of type map[string]string',
    ],
  ])('and a wrong type is refused as its decoder does: %j', (object, why) => {
    expect(() => known(object)).toThrow(
      expect.objectContaining({
        code: 400,
        message: `Deployment in version "v1" cannot be handled as a Deployment: json: ${why}`,
      }),
    )
  })

  test('is refused with text that is no time, no quantity, no base64', () => {
    const metadata: object = { name: 'x', creationTimestamp: 'yesterday' }
    expect(() => known({ ...deployment({}), metadata: metadata as KubeObject['metadata'] })).toThrow(
      'parsing time "yesterday"',
    )
    expect(() => known(podSpec({ containers: [{ resources: { limits: { cpu: 'much' } } }] }))).toThrow(
      'quantities must match the regular expression',
    )
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: { a: '%%' } }
    expect(() => known(secret)).toThrow('illegal base64 data at input byte 0')
  })

  test('loses what says nothing, and has what its kind always has', () => {
    const container = {
      name: 'c',
      env: [],
      workingDir: '',
      resources: { limits: { cpu: 1 } },
    }
    const spec = {
      replicas: 0,
      template: { spec: { containers: [container], nodeSelector: {} } },
    }
    expect(known(deployment({ ...spec, revisionHistoryLimit: null })).object).toEqual({
      ...deployment({
        replicas: 0,
        strategy: {},
        template: {
          metadata: {},
          spec: { containers: [{ name: 'c', resources: { limits: { cpu: '1' } } }] },
        },
      }),
      status: {},
    })
  })
})

describe('a custom object', () => {
  function custom(spec: unknown, schema: Schema = widgetSpec, unknown: UnknownFields = 'ignore') {
    const { properties } = widgetSchema.root
    const root = { ...widgetSchema.root, properties: { ...properties, spec: schema } }
    const object = { apiVersion: 'example.io/v1', kind: 'Widget', metadata: { name: 'w' }, spec }
    return validate(
      object,
      { info: infoOf('example.io/v1', 'Widget'), schema: { ...widgetSchema, root }, custom: true },
      unknown,
    )
  }

  function causesOf(spec: unknown, schema: Schema): readonly Cause[] {
    try {
      custom(spec, schema)
      return []
    } catch (error) {
      if (error instanceof ApiFailure && error.code === 422) return error.details?.causes ?? []
      throw error
    }
  }

  test('loses fields that its schema does not have, but where that says to keep them', () => {
    const spec = { other: 1, size: 1, free: { any: { thing: null } } }
    expect(custom(spec).object.spec).toEqual({ size: 1, free: { any: { thing: null } } })
    expect(() => custom(spec, widgetSpec, 'strict')).toThrow(
      'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.other"',
    )
    expect(custom(spec, widgetSpec, 'warn').warnings).toEqual(['unknown field "spec.other"'])
  })

  test('gets defaults, and keeps null only where that is allowed', () => {
    const schema: Schema = {
      type: 'object',
      properties: {
        deep: { type: 'object', default: {}, properties: { x: { type: 'integer', default: 3 } } },
        name: { type: 'string', default: 'd' },
        none: { type: 'string', nullable: true, default: 'd' },
        plain: { type: 'string' },
      },
    }
    expect(custom({ name: null, none: null, plain: null }, schema).object.spec).toEqual({
      deep: { x: 3 },
      name: 'd',
      none: null,
    })
  })

  const of = (schema: Schema): Schema => ({ type: 'object', properties: { x: schema } })

  test.each<[Schema, unknown, string, string]>([
    [
      { type: 'integer' },
      'a',
      'FieldValueTypeInvalid',
      'Invalid value: "string": spec.x in body must be of type integer: "string"',
    ],
    [
      { 'x-kubernetes-int-or-string': true },
      true,
      'FieldValueTypeInvalid',
      'Invalid value: "boolean": spec.x in body must be of type integer,string: "boolean"',
    ],
    [
      { type: 'string', enum: ['a', 'b'] },
      'c',
      'FieldValueNotSupported',
      'Unsupported value: "c": supported values: "a", "b"',
    ],
    [
      { type: 'integer', minimum: 2 },
      1,
      'FieldValueInvalid',
      'Invalid value: 1: spec.x in body should be greater than or equal to 2',
    ],
    [
      { type: 'integer', maximum: 5, exclusiveMaximum: true },
      5,
      'FieldValueInvalid',
      'Invalid value: 5: spec.x in body should be less than 5',
    ],
    [
      { type: 'integer', multipleOf: 3 },
      4,
      'FieldValueInvalid',
      'Invalid value: 4: spec.x in body should be a multiple of 3',
    ],
    [
      { type: 'string', minLength: 2 },
      'a',
      'FieldValueInvalid',
      'Invalid value: "a": spec.x in body should be at least 2 chars long',
    ],
    [{ type: 'string', maxLength: 3 }, 'abcd', 'FieldValueTooLong', 'Too long: may not be more than 3 bytes'],
    [
      { type: 'string', pattern: '^a+$' },
      'b',
      'FieldValueInvalid',
      'Invalid value: "b": spec.x in body should match \'^a+$\'',
    ],
    [
      { type: 'string', format: 'date-time' },
      'x',
      'FieldValueTypeInvalid',
      'Invalid value: "x": spec.x in body must be of type date-time: "x"',
    ],
    [
      { type: 'array', minItems: 1, items: {} },
      [],
      'FieldValueInvalid',
      'Invalid value: 0: spec.x in body should have at least 1 items',
    ],
    [
      { type: 'array', maxItems: 1, items: {} },
      [1, 2],
      'FieldValueTooMany',
      'Too many: 2: must have at most 1 items',
    ],
    [
      { type: 'object', maxProperties: 1, additionalProperties: {} },
      { a: 1, b: 2 },
      'FieldValueTooMany',
      'Too many: 2: must have at most 1 items',
    ],
  ])('with %j is refused for %j', (schema, value, reason, message) => {
    expect(causesOf({ x: value }, of(schema))).toEqual([{ reason, message, field: 'spec.x' }])
  })

  test('is told what it lacks, and what it has twice', () => {
    const missing = { reason: 'FieldValueRequired', message: 'Required value', field: 'spec.ports[0].port' }
    expect(causesOf({ ports: [{ note: 'x' }] }, widgetSpec)).toEqual([missing])
    const twice = {
      reason: 'FieldValueDuplicate',
      message: 'Duplicate value: {"port":1,"protocol":"TCP"}',
      field: 'spec.ports[1]',
    }
    expect(causesOf({ ports: [{ port: 1 }, { port: 1 }] }, widgetSpec)).toEqual([twice])
    expect(causesOf({ tags: ['a', 'a'] }, widgetSpec)).toMatchObject([
      { field: 'spec.tags[1]', message: 'Duplicate value: "a"' },
    ])
  })

  test('has to fit one of its alternatives', () => {
    const oneOf = [{ required: ['a'] }, { required: ['b'] }]
    const either = of({ type: 'object', properties: { a: {}, b: {} }, oneOf })
    expect(causesOf({ x: { a: 1 } }, either)).toEqual([])
    expect(causesOf({ x: { a: 1, b: 1 } }, either)).toMatchObject([
      {
        message: 'Invalid value: "": "spec.x" must validate the schema (oneOf)',
      },
    ])
    expect(causesOf({ x: {} }, either)).toMatchObject([
      { field: 'spec.x.a', message: 'Required value' },
      { field: 'spec.x.b', message: 'Required value' },
      { field: '<nil>' },
    ])
  })

  test('has metadata of the same types as any object', () => {
    const metadata: object = { name: 'w', labels: { a: 1 } }
    const object = {
      apiVersion: 'example.io/v1',
      kind: 'Widget',
      metadata: metadata as KubeObject['metadata'],
    }
    const of = { info: infoOf('example.io/v1', 'Widget'), schema: widgetSchema, custom: true }
    expect(() => validate(object, of, 'ignore')).toThrow(
      'Widget in version "v1" cannot be handled as a Widget: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string',
    )
  })
})

describe('checks by kind', () => {
  const told = (object: KubeObject, previous?: KubeObject) =>
    checkObject(infoOf(object.apiVersion, object.kind), object, previous).map(
      ({ field, message }) => `${field}: ${message}`,
    )
  const v1 = (kind: string, fields: object, metadata = {}): KubeObject => ({
    apiVersion: 'v1',
    kind,
    metadata: { name: 'x', ...metadata },
    ...fields,
  })
  const selector = { matchLabels: { app: 'web' } }
  const template = (spec: object = {}, app = 'web') => ({
    metadata: { labels: { app } },
    spec: { containers: [{ name: 'c', image: 'i' }], restartPolicy: 'Always', ...spec },
  })
  const strategy = { type: 'RollingUpdate', rollingUpdate: {} }

  test('names, labels and annotations', () => {
    expect(
      told(v1('ConfigMap', {}, { name: 'A_b', labels: { 'a b': 'x', c: '-' }, annotations: { 'a b': '' } })),
    ).toEqual([
      expect.stringMatching(
        /^metadata.name: Invalid value: "A_b": a lowercase RFC 1123 subdomain must consist of/,
      ),
      expect.stringMatching(/^metadata.labels: Invalid value: "a b": name part must consist of/),
      expect.stringMatching(
        /^metadata.labels: Invalid value: "-": a valid label must be an empty string or consist of/,
      ),
      expect.stringMatching(/^metadata.annotations: Invalid value: "a b": name part must consist of/),
    ])
    expect(told(v1('ConfigMap', {}, { name: '' }))).toEqual([
      'metadata.name: Required value: name or generateName is required',
    ])
    expect(told(v1('ConfigMap', {}, { labels: { 'a/b/c': '' } }))).toEqual([
      expect.stringMatching(
        /"a\/b\/c": a valid label key must consist of .* with an optional DNS subdomain prefix/,
      ),
    ])
  })

  test('nothing new may hold what is being deleted', () => {
    const before = v1('ConfigMap', {}, { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['a/b'] })
    expect(told(v1('ConfigMap', {}, { finalizers: ['a/b', 'a/c'] }), before)).toEqual([
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a/c"}',
    ])
  })

  test('a Deployment', () => {
    expect(told(deployment({ strategy, selector, template: template() }))).toEqual([])
    expect(told(deployment({ strategy, template: { spec: {} } }))).toEqual([
      'spec.selector: Required value',
      'spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`',
      'spec.template.spec.containers: Required value',
    ])
    const odd = template({ restartPolicy: 'Never' }, 'other')
    expect(told(deployment({ replicas: -1, strategy, selector, template: odd }))).toEqual([
      'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
      'spec.template.metadata.labels: Invalid value: {"app":"other"}: `selector` does not match template `labels`',
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
    ])
    expect(
      told(
        deployment({ strategy, selector: { matchLabels: { app: 'a b' } }, template: template({}, 'a b') }),
      ),
    ).toEqual([
      expect.stringMatching(/^spec.template.labels: Invalid value: "a b": a valid label must be an empty/),
    ])
    const former = deployment({ strategy, selector, template: template() })
    const moved = { matchExpressions: [{ key: 'app', operator: 'In', values: ['web'] }] }
    expect(told(deployment({ strategy, selector: moved, template: template() }), former)).toEqual([
      `spec.selector: Invalid value: ${JSON.stringify(moved)}: field is immutable`,
    ])
  })

  test('a Pod', () => {
    const containers = [
      {},
      { name: 'b', image: 'i', ports: [{ containerPort: 0 }, { containerPort: 70_000, protocol: 'X' }] },
      {
        name: 'b',
        image: 'i',
        env: [{ value: '1' }],
        volumeMounts: [{ name: 'v', mountPath: '/v' }],
      },
    ]
    expect(told(v1('Pod', { spec: { containers, volumes: [{ name: 'w' }, { name: 'w' }] } }))).toEqual([
      'spec.volumes[1].name: Duplicate value: "w"',
      'spec.containers[2].name: Duplicate value: "b"',
      'spec.containers[0].name: Required value',
      'spec.containers[0].image: Required value',
      'spec.containers[1].ports[0].containerPort: Required value',
      'spec.containers[1].ports[1].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
      'spec.containers[1].ports[1].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
      'spec.containers[2].env[0].name: Required value',
      'spec.containers[2].volumeMounts[0].name: Not found: "v"',
    ])
  })

  test('a Pod that is there may get another image, and little else', () => {
    const pod = (container: object, nodeName?: string) =>
      v1('Pod', { spec: { containers: [{ name: 'c', ...container }], nodeName } })
    expect(told(pod({ image: 'i:2' }), pod({ image: 'i:1' }))).toEqual([])
    expect(told(pod({ image: 'i' }, 'node'), pod({ image: 'i' }))).toEqual([])
    const changes = 'spec: Forbidden: pod updates may not change fields other than'
    expect(told(pod({ image: 'i', args: ['x'] }), pod({ image: 'i' }))).toEqual([
      expect.stringContaining(changes),
    ])
    expect(told(pod({ image: 'i' }, 'other'), pod({ image: 'i' }, 'node'))).toEqual([
      expect.stringContaining(changes),
    ])
  })

  test('a Service', () => {
    expect(told(v1('Service', { spec: { type: 'ClusterIP' } }))).toEqual(['spec.ports: Required value'])
    expect(told(v1('Service', { spec: { type: 'ClusterIP', clusterIP: 'None' } }))).toEqual([])
    const port = (fields: object) => ({ port: 80, protocol: 'TCP', targetPort: 80, ...fields })
    expect(
      told(
        v1('Service', {
          spec: { type: 'Odd', ports: [port({ port: 0 }), port({ name: 'b', port: 81 })] },
        }),
      ),
    ).toEqual([
      'spec.ports[0].name: Required value',
      'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
      'spec.type: Unsupported value: "Odd": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    ])
  })

  test('a StatefulSet and a claim stay what they are, but for some fields', () => {
    const set = (spec: object) => ({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'x' },
      spec: { selector: { matchLabels: { app: 'web' } }, template: template(), ...spec },
    })
    expect(told(set({ replicas: 2 }), set({ replicas: 1 }))).toEqual([])
    expect(told(set({ serviceName: 'b' }), set({ serviceName: 'a' }))).toEqual([
      expect.stringContaining('spec: Forbidden: updates to statefulset spec for fields other than'),
    ])
    const claim = (spec: object) => v1('PersistentVolumeClaim', { spec: { accessModes: ['RWO'], ...spec } })
    expect(told(claim({ volumeName: 'v' }), claim({}))).toEqual([])
    expect(told(claim({ storageClassName: 'b' }), claim({ storageClassName: 'a' }))).toEqual([
      expect.stringContaining('spec: Forbidden: spec is immutable after creation'),
    ])
  })

  test('other kinds', () => {
    expect(told(v1('ConfigMap', { data: { 'a b': '', '..': '' } }))).toEqual([
      expect.stringMatching(/^data\[a b\]: Invalid value: "a b": a valid config key must consist of/),
      'data[..]: Invalid value: "..": must not be \'..\'',
    ])
    expect(told(v1('Secret', { type: 'b' }), v1('Secret', { type: 'a' }))).toEqual([
      'type: Invalid value: "b": field is immutable',
    ])
    expect(told(v1('PersistentVolumeClaim', { spec: {} }))).toEqual([
      'spec.accessModes: Required value: at least 1 access mode is required',
    ])
    const job = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'x' },
      spec: { template: template() },
    }
    expect(told(job)).toEqual([
      'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
    ])
  })

  test('a custom kind of the same name is none of Kubernetes', () => {
    expect(told({ apiVersion: 'example.io/v1', kind: 'Service', metadata: { name: 'x' } })).toEqual([])
  })
})
