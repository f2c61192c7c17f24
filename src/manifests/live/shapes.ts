import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KubeClient } from '../../kube/client.ts'
import { ApiError } from '../../kube/errors.ts'
import { isObject, type JsonObject } from '../../kube/json.ts'
import { groupVersionPath, type KubeObject } from '../../kube/resource.ts'
import { readSchemas, type Schemas, schemasOfKind, shapeOf } from '../diff/schema.ts'
import { type Shape, unknownShape } from '../diff/shape.ts'
import { putFile } from '../folder/put.ts'
import { groupOf } from '../order/references.ts'

/** How objects are compared, by kind; asked of the server when it is needed. */
export type Shapes = (apiVersion: string, kind: string) => Promise<Shape>

interface Kind {
  readonly apiVersion: string
  readonly kind: string
}

/**
 * Maps have parts and lists have none where the server publishes no schema of a kind.
 *
 * @param folder where schemas of Kubernetes' own kinds are kept, by the server's version.
 */
export function openShapes(client: KubeClient, folder: string): Shapes {
  const shapes = new Map<string, Promise<Shape>>()
  const documents = new Map<string, Promise<Schemas>>()
  const document = (path: string) =>
    once(documents, path, async () => readSchemas(await client.request({ path, timeoutMs: 60_000 })))
  return (apiVersion, kind) =>
    once(shapes, `${apiVersion} ${kind}`, async () => {
      const it = { apiVersion, kind }
      const schemas = isBuiltin(it)
        ? await kept(await fileOf(client, folder, it), () => published(it, document)).catch(unlessRefused)
        : await custom(client, it).catch(() => published(it, document).catch(unlessRefused))
      return shapeOf(schemas, apiVersion, kind) ?? unknownShape
    })
}

/** Who may not read schemas, or has a server without them, compares as if there were none. */
function unlessRefused(error: unknown): Schemas {
  if (error instanceof ApiError && [403, 404, 406].includes(error.status.code)) return {}
  throw error
}

/** Asks once for a key; again, if that failed. */
function once<T>(known: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const found = known.get(key)
  if (found !== undefined) return found
  const asked = ask()
  known.set(key, asked)
  asked.catch(() => known.delete(key))
  return asked
}

const builtinGroups = new Set([
  ...['', 'apps', 'autoscaling', 'batch', 'extensions', 'policy'],
  ...[
    ...['admissionregistration', 'apiextensions', 'apiregistration', 'authentication', 'authorization'],
    ...['certificates', 'coordination', 'discovery', 'events', 'flowcontrol.apiserver', 'networking', 'node'],
    ...['rbac.authorization', 'resource', 'scheduling', 'storage'],
  ].map((group) => `${group}.k8s.io`),
])

function isBuiltin({ apiVersion }: Kind): boolean {
  return builtinGroups.has(groupOf(apiVersion))
}

async function fileOf(client: KubeClient, folder: string, { apiVersion, kind }: Kind): Promise<string> {
  const { gitVersion } = await client.discovery.version()
  const id = createHash('sha256')
    .update(JSON.stringify([gitVersion, apiVersion, kind]))
    .digest('hex')
  return join(folder, `${id.slice(0, 24)}.json`)
}

/** What is kept; what is not, or cannot be read, is asked for again. */
async function kept(file: string, ask: () => Promise<Schemas>): Promise<Schemas> {
  try {
    return readSchemas(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    const definitions = await ask()
    await putFile(file, JSON.stringify({ definitions }), { mode: 0o600 })
    return definitions
  }
}

/** From the server's OpenAPI: by group version from 1.24 on, before that all in one. */
async function published(
  { apiVersion, kind }: Kind,
  document: (path: string) => Promise<Schemas>,
): Promise<Schemas> {
  const all = await document(`/openapi/v3${groupVersionPath(apiVersion)}`).catch((error: unknown) => {
    if (error instanceof ApiError && error.status.code === 404) return document('/openapi/v2')
    throw error
  })
  return schemasOfKind(all, apiVersion, kind)
}

/** Of a custom kind, from its definition: that says more than what the server publishes. */
async function custom(client: KubeClient, { apiVersion, kind }: Kind): Promise<Schemas> {
  const { plural } = await client.discovery.kind(apiVersion, kind)
  const [group = '', version = ''] = apiVersion.split('/')
  const name = `${plural}.${group}`
  const ref = { apiVersion: 'apiextensions.k8s.io/v1', plural: 'customresourcedefinitions', name }
  const { spec } = await client.get<KubeObject & { spec?: { versions?: unknown } }>(ref)
  const versions = Array.isArray(spec?.versions) ? spec.versions.filter(isObject) : []
  const schema = versions.find((one) => one.name === version)?.schema
  const root: unknown = isObject(schema) ? schema.openAPIV3Schema : undefined
  if (!isObject(root)) return {}
  return readSchemas({ definitions: { [kind]: withMetadata(root, { group, version, kind }) } })
}

/** A definition says nothing of `metadata`, which is the same everywhere. */
function withMetadata(root: JsonObject, gvk: object): JsonObject {
  const metadata = {
    properties: {
      finalizers: { items: {}, 'x-kubernetes-list-type': 'set' },
      ownerReferences: { items: {}, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['uid'] },
    },
    additionalProperties: true,
  }
  const properties = isObject(root.properties) ? root.properties : {}
  return { ...root, properties: { ...properties, metadata }, 'x-kubernetes-group-version-kind': [gvk] }
}
