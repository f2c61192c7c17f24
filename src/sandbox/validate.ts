import { withZeros } from './validate/zeros.ts'
import { ApiFailure, badRequest, type Cause, invalid } from './failure.ts'
import type { KubeObject } from './object.ts'
import type { ResourceInfo, TypeSchema } from './schema.ts'
import { structured } from './validate/custom.ts'
import { decode } from './validate/decode.ts'
import { kindChecks } from './validate/kinds.ts'
import { checkMetadata } from './validate/metadata.ts'
import { checkValues } from './validate/values.ts'

/** The request's fieldValidation: what becomes of fields that do not exist. */
export type UnknownFields = 'ignore' | 'warn' | 'strict'

export interface Validated {
  readonly object: KubeObject
  readonly warnings: readonly string[]
}

interface Validation {
  readonly info: ResourceInfo
  readonly schema: TypeSchema
  readonly custom: boolean
}

/**
 * The object as the server takes it in. Unknown fields are dropped, told of or refused; types are checked (Kubernetes' own kinds: 400, as a
 * decoder says it; custom kinds: 422 with causes); a CRD's defaults are set, and what Kubernetes' own kinds always have.
 */
export function validate(object: KubeObject, of: Validation, unknown: UnknownFields): Validated {
  const { info, schema, custom } = of
  const decoded = asKind(info, () => (custom ? decodeCustom(object, schema) : decodeKnown(object, of)))
  const told = decoded.unknown.map((path) => `unknown field "${path}"`)
  if (unknown === 'strict' && told.length > 0) {
    throw asKindFailure(info, `strict decoding error: ${told.join(', ')}`)
  }
  const causes = custom ? checkValues(decoded.value, schema) : []
  if (causes.length > 0) throw invalid(info, object.metadata.name, causes)
  return { object: decoded.value as KubeObject, warnings: unknown === 'warn' ? told : [] }
}

/** What is wrong with a complete object, and with how it differs from what it was: what a real server's strategies check. */
export function checkObject(info: ResourceInfo, object: KubeObject, previous?: KubeObject): Cause[] {
  const checks = isKubernetes(info.group) ? (kindChecks[info.kind] ?? []) : []
  return [...checkMetadata(info, object, previous), ...checks.flatMap((check) => check(object, previous))]
}

/** Groups of Kubernetes' own: `apps`, `networking.k8s.io`. */
const isKubernetes = (group: string) => !group.includes('.') || group.endsWith('.k8s.io')

function decodeKnown(object: KubeObject, { info, schema }: Validation) {
  const { value, unknown } = decode(object, schema, info.kind)
  return { value: withZeros(value, schema) as KubeObject, unknown }
}

/** Metadata has a Go type whatever the kind; the rest is by the CRD's schema. */
function decodeCustom(object: KubeObject, schema: TypeSchema) {
  const { value, unknown } = structured(object, schema)
  const metadataSchema = schema.root.properties?.metadata
  if (metadataSchema === undefined) return { value, unknown }
  const metadata = decode({ ...object.metadata }, { ...schema, root: metadataSchema }, 'ObjectMeta')
  const unknownThere = metadata.unknown.map((path) => `metadata.${path}`)
  return { value: { ...value, metadata: metadata.value }, unknown: [...unknown, ...unknownThere] }
}

function asKind<T>(info: ResourceInfo, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof ApiFailure ? asKindFailure(info, error.message) : error
  }
}

function asKindFailure({ kind, version }: ResourceInfo, problem: string): ApiFailure {
  return badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${problem}`)
}
