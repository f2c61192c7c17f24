// Writes src/sandbox/kubernetes.json: what the sandbox knows of Kubernetes' own types, taken from the Go modules
// that carry the API's discovery documents, OpenAPI v3 schemas and protobuf messages. Prose is left out.
//   node scripts/sandbox-schema.mjs v1.36.3      (needs `go`)
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messagesOf } from './sandbox-messages.mjs'

const version = process.argv[2] ?? 'v1.36.3'
const module = (name, version) => {
  const args = ['mod', 'download', '-json', `k8s.io/${name}@${version}`]
  return JSON.parse(execFileSync('go', args, { cwd: tmpdir() })).Dir
}
const Dir = module('kubernetes', version)
const read = (...path) => JSON.parse(readFileSync(join(Dir, 'api', ...path), 'utf8'))
const stable = /^v\d+$/

const groups = [
  { metadata: { name: '' }, versions: coreVersions() },
  ...read('discovery', 'aggregated_v2.json').items,
]
  .map(({ metadata, versions }) => ({
    name: metadata.name,
    versions: versions.filter((v) => stable.test(v.version)),
  }))
  .filter(({ versions }) => versions.length > 0)

const schemas = {}
const kinds = {}
for (const { name, versions } of groups) {
  for (const { version } of versions) {
    const file = name === '' ? `api__${version}` : `apis__${name}__${version}`
    const found = read('openapi-spec', 'v3', `${file}_openapi.json`).components.schemas
    for (const [id, schema] of Object.entries(found)) {
      schemas[id] = plain(schema)
      for (const gvk of schema['x-kubernetes-group-version-kind'] ?? []) {
        if (gvk.group === name && gvk.version === version)
          kinds[`${apiVersion(name, version)} ${gvk.kind}`] = id
      }
    }
  }
}

const resources = groups.flatMap(({ name, versions }) =>
  versions.flatMap(({ version, resources }) =>
    resources.map((resource) => ({
      group: name,
      version,
      kind: resource.responseKind.kind,
      plural: resource.resource,
      singular: resource.singularResource,
      shortNames: resource.shortNames ?? [],
      categories: resource.categories ?? [],
      namespaced: resource.scope === 'Namespaced',
      verbs: resource.verbs,
      subresources: (resource.subresources ?? []).map((sub) => ({
        name: sub.subresource,
        group: sub.responseKind.group || name,
        version: sub.responseKind.version || version,
        kind: sub.responseKind.kind,
        verbs: sub.verbs,
      })),
    })),
  ),
)

const staging = version.replace(/^v1\./, 'v0.')
const messages = messagesOf(
  [...new Set(Object.values(kinds))]
    .map((id) => id.replace('io.k8s.', ''))
    .filter((id) => /^(api|apimachinery)\./.test(id)),
  { api: module('api', staging), apimachinery: module('apimachinery', staging) },
)

const lines = (table) =>
  Object.keys(table)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${JSON.stringify(table[key])}`)
    .join(',\n')
writeFileSync(
  'src/sandbox/kubernetes.json',
  `{"version":${JSON.stringify(version)},\n"resources":[\n${resources.map((r) => JSON.stringify(r)).join(',\n')}\n],\n"kinds":{\n${lines(kinds)}\n},\n"messages":{\n${lines(messages)}\n},\n"schemas":{\n${lines(schemas)}\n}}\n`,
)

function apiVersion(group, version) {
  return group === '' ? version : `${group}/${version}`
}

/** The core group has no aggregated document in the module: the plain one, with subresources put below theirs. */
function coreVersions() {
  const { resources } = read('discovery', 'api__v1.json')
  const main = resources.filter(({ name }) => !name.includes('/'))
  return [
    {
      version: 'v1',
      resources: main.map((resource) => ({
        resource: resource.name,
        responseKind: { kind: resource.kind },
        singularResource: resource.singularName,
        shortNames: resource.shortNames,
        categories: resource.categories,
        scope: resource.namespaced ? 'Namespaced' : 'Cluster',
        verbs: resource.verbs,
        subresources: resources
          .filter(({ name }) => name.startsWith(`${resource.name}/`))
          .map((sub) => ({
            subresource: sub.name.slice(resource.name.length + 1),
            responseKind: { group: sub.group, version: sub.version, kind: sub.kind },
            verbs: sub.verbs,
          })),
      })),
    },
  ]
}

/** A schema without its prose, references without the `allOf` that was only there to carry it. */
function plain(schema) {
  if (Array.isArray(schema)) return schema.map(plain)
  if (typeof schema !== 'object' || schema === null) return schema
  const { description, allOf, ...rest } = schema
  const kept = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, plain(value)]))
  if (description !== undefined && typeof description !== 'string') kept.description = plain(description)
  if (Array.isArray(allOf) && allOf.length === 1) return { ...kept, ...plain(allOf[0]) }
  return allOf === undefined ? kept : { ...kept, allOf: plain(allOf) }
}
