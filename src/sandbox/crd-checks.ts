import { type Cause, notImplemented } from './failure.ts'
import { at, isObject, type JsonObject, type KubeObject } from './object.ts'
import { invalidValue, required, unsupported } from './validate/causes.ts'
import { list, text } from './values.ts'

/** A CRD with what the server fills in where nothing was said. */
export function crdDefaults(crd: KubeObject): KubeObject {
  const { spec } = crd
  if (!isObject(spec)) return crd
  const names = isObject(spec.names) ? spec.names : {}
  const kind = text(names.kind)
  const filled = { singular: kind.toLowerCase(), listKind: `${kind}List`, ...names }
  return { ...crd, spec: { conversion: { strategy: 'None' }, ...spec, names: filled } }
}

/** Throws 501 for what the sandbox does not do in a CRD. */
export function refuseCrd(crd: KubeObject): void {
  if (at(crd, 'spec', 'conversion', 'strategy') === 'Webhook') {
    throw notImplemented('conversion webhooks of a CustomResourceDefinition')
  }
  if (says(at(crd, 'spec', 'versions'), 'x-kubernetes-validations')) {
    throw notImplemented('x-kubernetes-validations in a CustomResourceDefinition')
  }
}

function says(value: unknown, keyword: string): boolean {
  if (Array.isArray(value)) return value.some((item) => says(item, keyword))
  if (!isObject(value)) return false
  return keyword in value || Object.values(value).some((inner) => says(inner, keyword))
}

/** What is wrong with a CRD, in the words of the server's own checks. */
export function crdCauses(crd: KubeObject): Cause[] {
  const { spec } = crd
  const versions = list(at(spec, 'versions'))
  const name = `${text(at(spec, 'names', 'plural'))}.${text(at(spec, 'group'))}`
  const stored = versions.filter(({ storage }) => storage === true)
  const scope = text(at(spec, 'scope'))
  return [
    ...(crd.metadata.name === name
      ? []
      : [invalidValue('metadata.name', crd.metadata.name, 'must be spec.names.plural+"."+spec.group')]),
    ...(['Cluster', 'Namespaced'].includes(scope)
      ? []
      : [unsupported('spec.scope', scope, ['Cluster', 'Namespaced'])]),
    ...versions.flatMap((version, index) => schemaCauses(version, `spec.versions[${index}]`)),
    ...(stored.length === 1
      ? []
      : [invalidValue('spec.versions', versions, 'must have exactly one version marked as storage version')]),
    ...['plural', 'kind']
      .filter((part) => text(at(spec, 'names', part)) === '')
      .map((part) => required(`spec.names.${part}`, '')),
  ]
}

function schemaCauses(version: JsonObject, field: string): Cause[] {
  const schema = at(version, 'schema', 'openAPIV3Schema')
  const path = `${field}.schema.openAPIV3Schema`
  if (!isObject(schema)) return [required(path, 'schemas are required')]
  if (schema.type !== 'object')
    return [invalidValue(`${path}.type`, text(schema.type), 'must be object at the root')]
  return untyped(schema, path)
}

/** Schemas must be structural: each value has a type. */
function untyped(schema: JsonObject, path: string): Cause[] {
  const open = schema['x-kubernetes-int-or-string'] || schema['x-kubernetes-preserve-unknown-fields']
  const own =
    text(schema.type) === '' && !open
      ? [required(`${path}.type`, 'must not be empty for specified object fields')]
      : []
  const properties = isObject(schema.properties) ? Object.entries(schema.properties) : []
  const inner: [string, unknown][] = [
    ...properties.map(([name, value]): [string, unknown] => [`${path}.properties[${name}]`, value]),
    [`${path}.items`, schema.items],
    [`${path}.additionalProperties`, schema.additionalProperties],
  ]
  return [...own, ...inner.flatMap(([at, value]) => (isObject(value) ? untyped(value, at) : []))]
}
