import { ApiFailure, badRequest, type Cause, invalid } from './failure.ts'
import type { KubeObject } from './object.ts'
import type { ResourceInfo, TypeSchema } from './schema.ts'
import { forbiddenField, invalidValue, required } from './validate/causes.ts'
import { kindChecks } from './validate/checks.ts'
import { checkValues, structured } from './validate/custom.ts'
import { decode } from './validate/decode.ts'
import { dnsLabel, dnsSubdomain, pathSegment, qualifiedName } from './validate/names.ts'
import { checkLabels, checkRows } from './validate/rows.ts'
import { withZeros } from './validate/zeros.ts'

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

/**
 * What is wrong with a complete object, and with how it differs from what it was: what people run into of what a real server's strategies
 * check.
 */
export function checkObject(info: ResourceInfo, object: KubeObject, previous?: KubeObject): Cause[] {
  const isKubernetes = !info.group.includes('.') || info.group.endsWith('.k8s.io')
  const rows = isKubernetes ? (kindChecks[info.kind] ?? []) : []
  return [...checkMetadata(info, object, previous), ...checkRows(rows, object, previous)]
}

/** Where a name is not a DNS subdomain. */
const namesOf = {
  Namespace: dnsLabel,
  Service: dnsLabel,
  Role: pathSegment,
  ClusterRole: pathSegment,
  RoleBinding: pathSegment,
  ClusterRoleBinding: pathSegment,
}

/** What is wrong with what all kinds have. */
function checkMetadata({ kind }: ResourceInfo, { metadata }: KubeObject, previous?: KubeObject): Cause[] {
  const check = new Map(Object.entries(namesOf)).get(kind) ?? dnsSubdomain
  const told = (field: string, value: string, problems: string[]) =>
    problems.map((problem) => invalidValue(`metadata.${field}`, value, problem))
  const { name = '', generateName = '', labels, annotations = {}, finalizers = [] } = metadata
  return [
    ...(generateName === ''
      ? []
      : told('generateName', generateName, check(generateName.replace(/-$/, 'a')))),
    ...(name === ''
      ? [required('metadata.name', 'name or generateName is required')]
      : told('name', name, check(name))),
    ...checkLabels('metadata.labels', labels),
    ...Object.keys(annotations).flatMap((key) => told('annotations', key, qualifiedName(key.toLowerCase()))),
    ...finalizers.flatMap((finalizer) => told('finalizers', finalizer, qualifiedName(finalizer))),
    ...newFinalizers(finalizers, previous),
  ]
}

/** Once an object is being deleted, nothing more may hold it. */
function newFinalizers(finalizers: readonly string[], previous: KubeObject | undefined): Cause[] {
  if (previous?.metadata.deletionTimestamp === undefined) return []
  const added = finalizers.filter((finalizer) => !previous.metadata.finalizers?.includes(finalizer))
  if (added.length === 0) return []
  const shown = `[]string{${added.map((one) => JSON.stringify(one)).join(', ')}}`
  const why = `no new finalizers can be added if the object is being deleted, found new finalizers ${shown}`
  return [forbiddenField('metadata.finalizers', why)]
}
