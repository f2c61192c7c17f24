import type { Catalog } from './catalog.ts'
import { at, isObject, type JsonObject, type KubeObject } from './object.ts'
import type { CustomVersion, PrinterColumn, ResourceType, ScalePaths } from './resource.ts'
import { apiVersionOf, type ResourceInfo, type Schema, type SubresourceInfo, storageKey } from './schema.ts'
import { list, text } from './values.ts'

export const crdKey = 'customresourcedefinitions.apiextensions.k8s.io'

const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(text) : [])

export function conditionOf(object: KubeObject, type: string): JsonObject | undefined {
  return list(at(object, 'status', 'conditions')).find((condition) => condition.type === type)
}

/** The resources that a CRD adds: one for each served version, none before it is established. */
export function customTypes(catalog: Catalog, crd: KubeObject): readonly ResourceType[] {
  if (conditionOf(crd, 'Established')?.status !== 'True') return []
  return list(at(crd, 'spec', 'versions'))
    .filter(({ served }) => served === true)
    .map((version) => customType(catalog, crd, version))
}

const verbs = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch']
const objectMeta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

function customType(catalog: Catalog, crd: KubeObject, version: JsonObject): ResourceType {
  const info = infoOf(crd, version)
  const root = rootSchema(version)
  const prefix = '#/components/schemas/'
  const resolve = (schema: Schema) =>
    schema.$ref === undefined ? schema : (catalog.schemas[schema.$ref.slice(prefix.length)] ?? {})
  return {
    info,
    schema: { root, resolve },
    key: storageKey(info),
    apiVersion: apiVersionOf(info),
    custom: true,
    definition: definitionOf(crd, version),
  }
}

function infoOf(crd: KubeObject, version: JsonObject): ResourceInfo {
  const names = at(crd, 'spec', 'names')
  return {
    group: text(at(crd, 'spec', 'group')),
    version: text(version.name),
    kind: text(at(names, 'kind')),
    plural: text(at(names, 'plural')),
    singular: text(at(names, 'singular')),
    shortNames: texts(at(names, 'shortNames')),
    categories: texts(at(names, 'categories')),
    namespaced: at(crd, 'spec', 'scope') === 'Namespaced',
    // Nothing new is made while the definition, and all that is of it, goes away.
    verbs: crd.metadata.deletionTimestamp === undefined ? verbs : verbs.filter((verb) => verb !== 'create'),
    subresources: subresourcesOf(crd, version),
  }
}

function subresourcesOf(crd: KubeObject, version: JsonObject): SubresourceInfo[] {
  const of = { group: text(at(crd, 'spec', 'group')), version: text(version.name) }
  const kind = text(at(crd, 'spec', 'names', 'kind'))
  const asked = at(version, 'subresources')
  const verbs = ['get', 'patch', 'update']
  return [
    ...(at(asked, 'status') === undefined ? [] : [{ name: 'status', ...of, kind, verbs }]),
    ...(at(asked, 'scale') === undefined
      ? []
      : [{ name: 'scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs }]),
  ]
}

/** The version's schema with what every object has. */
function rootSchema(version: JsonObject): Schema {
  const schema = at(version, 'schema', 'openAPIV3Schema')
  const own: Schema = isObject(schema) ? schema : { 'x-kubernetes-preserve-unknown-fields': true }
  return {
    ...own,
    properties: {
      ...own.properties,
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { $ref: `#/components/schemas/${objectMeta}` },
    },
  }
}

function definitionOf(crd: KubeObject, version: JsonObject): CustomVersion {
  const scale = at(version, 'subresources', 'scale')
  return {
    listKind: text(at(crd, 'spec', 'names', 'listKind')),
    storage: storedIn(crd),
    columns: list(version.additionalPrinterColumns).map(columnOf),
    scale: isObject(scale) ? scaleOf(scale) : undefined,
  }
}

function columnOf(column: JsonObject): PrinterColumn {
  const { name, type, format, description, priority, jsonPath } = column
  return {
    name: text(name),
    type: text(type),
    format: text(format),
    description: text(description),
    priority: typeof priority === 'number' ? priority : 0,
    jsonPath: text(jsonPath),
  }
}

function scaleOf({ specReplicasPath, statusReplicasPath, labelSelectorPath }: JsonObject): ScalePaths {
  const selector = labelSelectorPath === undefined ? undefined : text(labelSelectorPath)
  return { spec: text(specReplicasPath), status: text(statusReplicasPath), selector }
}

function storedIn(crd: KubeObject): string {
  const version = list(at(crd, 'spec', 'versions')).find(({ storage }) => storage === true)
  return apiVersionOf({ group: text(at(crd, 'spec', 'group')), version: text(version?.name) })
}
