import { loadCatalog, schemaOf } from '../catalog.ts'
import type { KubeObject } from '../object.ts'
import type { Schema, TypeSchema } from '../schema.ts'
import type { WriteOf } from './apply.ts'

// Schemas and objects that tests are about.

const catalog = loadCatalog()

export function schemaOfKind(apiVersion: string, kind: string): TypeSchema {
  const schema = schemaOf(catalog, apiVersion, kind)
  if (schema === undefined) throw new Error(`no schema of ${apiVersion} ${kind}`)
  return schema
}

const text = { type: 'string' }

/** A custom kind with every way of merging. */
export const widgetSpec: Schema = {
  type: 'object',
  properties: {
    size: { type: 'integer' },
    tags: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
    granular: { type: 'object', additionalProperties: text },
    atomic: { type: 'object', additionalProperties: text, 'x-kubernetes-map-type': 'atomic' },
    ports: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['port', 'protocol'],
      items: {
        type: 'object',
        required: ['port'],
        properties: { port: { type: 'integer' }, protocol: { type: 'string', default: 'TCP' }, note: text },
      },
    },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  },
}

export const widgetSchema: TypeSchema = {
  root: {
    type: 'object',
    properties: {
      apiVersion: text,
      kind: text,
      metadata: { $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' },
      spec: widgetSpec,
      status: { type: 'object', properties: { phase: text } },
    },
  },
  resolve: (schema) => schemaOfKind('v1', 'ConfigMap').resolve(schema),
}

export const widgets: WriteOf = {
  manager: 'me',
  apiVersion: 'example.io/v1',
  time: '2026-01-01T00:00:00Z',
  schema: widgetSchema,
  custom: { hasStatus: true },
}

export function widget(spec: unknown, metadata: Partial<KubeObject['metadata']> = {}): KubeObject {
  return { apiVersion: 'example.io/v1', kind: 'Widget', metadata: { name: 'w', ...metadata }, spec }
}

export const deployments: WriteOf = {
  manager: 'me',
  apiVersion: 'apps/v1',
  time: '2026-01-01T00:00:00Z',
  schema: schemaOfKind('apps/v1', 'Deployment'),
}

export function deployment(spec: Record<string, unknown>): KubeObject {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec }
}

/** The managers of an object and what each has, in one line each: `kubectl Apply {…}`. */
export function ownersOf({ metadata }: KubeObject): Record<string, unknown> {
  const entries = metadata.managedFields ?? []
  return Object.fromEntries(
    entries.map(({ manager, operation, subresource, fieldsV1 }) => [
      [manager, operation, subresource].filter((part) => part !== undefined).join(' '),
      fieldsV1,
    ]),
  )
}
