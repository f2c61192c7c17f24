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
}

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

function follow(catalog: Catalog, schema: Schema): Schema {
  if (schema.$ref === undefined) return schema
  return catalog.schemas[schema.$ref.slice(prefix.length)] ?? {}
}
