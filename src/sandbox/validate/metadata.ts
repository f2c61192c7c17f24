import type { Cause } from '../failure.ts'
import { isObject, type KubeObject } from '../object.ts'
import type { ResourceInfo } from '../schema.ts'
import { forbiddenField, invalidValue, required } from './causes.ts'
import { type Check, dnsLabel, dnsSubdomain, labelValue, pathSegment, qualifiedName } from './names.ts'

/** Where a name is not a DNS subdomain. */
const namesOf: Readonly<Record<string, Check>> = {
  Namespace: dnsLabel,
  Service: dnsLabel,
  Role: pathSegment,
  ClusterRole: pathSegment,
  RoleBinding: pathSegment,
  ClusterRoleBinding: pathSegment,
}

/** Finalizers without a domain that are known. */
const plainFinalizers = ['kubernetes', 'orphan', 'foregroundDeletion']

/** What is wrong with what all kinds have. */
export function checkMetadata(
  { kind }: ResourceInfo,
  { metadata }: KubeObject,
  previous?: KubeObject,
): Cause[] {
  const check = namesOf[kind] ?? dnsSubdomain
  const told = (field: string, value: string, problems: string[]) =>
    problems.map((problem) => invalidValue(`metadata.${field}`, value, problem))
  const {
    name = '',
    generateName = '',
    labels = {},
    annotations = {},
    finalizers = [],
    ownerReferences = [],
  } = metadata
  const prefix = generateName.replace(/-$/, 'a')
  return [
    ...(generateName === '' ? [] : told('generateName', generateName, check(prefix))),
    ...(name === ''
      ? [required('metadata.name', 'name or generateName is required')]
      : told('name', name, check(name))),
    ...Object.entries(labels).flatMap(([key, value]) => [
      ...told('labels', key, qualifiedName(key)),
      ...told('labels', value, labelValue(value)),
    ]),
    ...Object.keys(annotations).flatMap((key) => told('annotations', key, qualifiedName(key.toLowerCase()))),
    ...ownerReferences.flatMap((owner) => checkOwner({ ...owner })),
    ...finalizers.flatMap((finalizer, index) => checkFinalizer(finalizer, index)),
    ...checkImmutable(metadata.finalizers ?? [], previous),
  ]
}

function checkOwner(owner: Record<string, unknown>): Cause[] {
  return ['apiVersion', 'kind', 'name', 'uid']
    .filter((field) => !owner[field])
    .map((field) => {
      const why = field === 'apiVersion' ? 'version must not be empty' : 'must not be empty'
      return invalidValue(`metadata.ownerReferences.${field}`, '', why)
    })
}

function checkFinalizer(finalizer: string, index: number): Cause[] {
  const problems = qualifiedName(finalizer).map((why) => invalidValue('metadata.finalizers', finalizer, why))
  if (finalizer.includes('/') || plainFinalizers.includes(finalizer)) return problems
  const why = 'name is neither a standard finalizer name nor is it fully qualified'
  return [...problems, invalidValue(`metadata.finalizers[${index}]`, finalizer, why)]
}

/** Once an object is being deleted, nothing more may hold it. */
function checkImmutable(finalizers: readonly string[], previous: KubeObject | undefined): Cause[] {
  if (previous?.metadata.deletionTimestamp === undefined) return []
  const added = finalizers.filter((finalizer) => !previous.metadata.finalizers?.includes(finalizer))
  if (added.length === 0) return []
  const shown = `[]string{${added.map((one) => JSON.stringify(one)).join(', ')}}`
  const why = `no new finalizers can be added if the object is being deleted, found new finalizers ${shown}`
  return [forbiddenField('metadata.finalizers', why)]
}

/** Labels as they stand in a template. */
export function checkLabels(path: string, labels: unknown): Cause[] {
  return Object.entries(isObject(labels) ? labels : {}).flatMap(([key, value]) => [
    ...qualifiedName(key).map((why) => invalidValue(path, key, why)),
    ...labelValue(String(value)).map((why) => invalidValue(path, value, why)),
  ])
}
