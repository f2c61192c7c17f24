import { readFileSync } from 'node:fs'
import { assetPath } from '../asset.ts'
import type { ResourceInfo, Schema, TypeSchema } from './schema.ts'

/** Kubernetes' own types: `kubernetes.json`, which scripts/sandbox-schema.mjs makes. */
export interface Catalog {
  /** The release that the types are of: `v1.36.3`. */
  readonly version: string
  readonly resources: readonly ResourceInfo[]
  readonly schemas: Readonly<Record<string, Schema>>
  /** The schema's id of a kind: `apps/v1 Deployment` -> `io.k8s.api.apps.v1.Deployment`. */
  readonly kinds: Readonly<Record<string, string>>
  /** Protobuf messages by the schema's id without `io.k8s.`; what a field's type says is told in scripts/sandbox-messages.mjs. */
  readonly messages: Readonly<Record<string, readonly MessageField[]>>
}

export type MessageField = readonly [number: number, name: string, type: string]

const prefix = '#/components/schemas/'

export function loadCatalog(): Catalog {
  return JSON.parse(readFileSync(assetPath('kubernetes.json'), 'utf8'))
}

/** The schema of one of Kubernetes' own kinds; undefined if it is none. */
export function schemaOf(catalog: Catalog, apiVersion: string, kind: string): TypeSchema | undefined {
  const root = catalog.schemas[catalog.kinds[`${apiVersion} ${kind}`] ?? '']
  if (root === undefined) return undefined
  return { root, resolve: (schema) => follow(catalog, schema) }
}

/** The id of the message of one of Kubernetes' own kinds; undefined if it has none. */
export function messageOf(catalog: Catalog, apiVersion: string, kind: string): string | undefined {
  const id = catalog.kinds[`${apiVersion} ${kind}`]?.replace('io.k8s.', '')
  return id !== undefined && id in catalog.messages ? id : undefined
}

function follow(catalog: Catalog, schema: Schema): Schema {
  if (schema.$ref === undefined) return schema
  return catalog.schemas[schema.$ref.slice(prefix.length)] ?? {}
}
