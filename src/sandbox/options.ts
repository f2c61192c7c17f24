import type { IncomingMessage } from 'node:http'
import { json, mediaType, yaml } from './body.ts'
import type { WriteOptions } from './context.ts'
import type { DeleteOptions } from './delete.ts'
import { badRequest, invalid, notImplemented } from './failure.ts'
import { at, isObject } from './object.ts'
import { numberOf } from './read.ts'
import { forbiddenField, required, unsupported } from './validate/causes.ts'
import { text } from './values.ts'

const validations = { Ignore: 'ignore', Warn: 'warn', Strict: 'strict' } as const
const verbs: Readonly<Record<string, string>> = {
  POST: 'Create',
  PUT: 'Update',
  PATCH: 'Patch',
  DELETE: 'Delete',
}

/** What the query of a write asks for. Throws 422. */
export function writeOptions(request: IncomingMessage, query: URLSearchParams): WriteOptions {
  const kind = `${verbs[request.method ?? '']}Options`
  const dryRun = query.getAll('dryRun').filter((value) => value !== '')
  const validation = query.get('fieldValidation') ?? ''
  const apply = isApply(request)
  const causes = [
    ...(dryRun.every((value) => value === 'All') ? [] : [unsupported('dryRun', dryRun, ['All'])]),
    ...(validation === '' || validation in validations
      ? []
      : [unsupported('fieldValidation', validation, ['', 'Ignore', 'Strict', 'Warn'])]),
    ...(request.method === 'PATCH' && !apply && query.has('force')
      ? [forbiddenField('force', 'may not be specified for non-apply patch')]
      : []),
    ...(apply && !query.get('fieldManager') ? [required('fieldManager', 'is required for apply patch')] : []),
  ]
  if (causes.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', causes)
  const unknown = validations[validation as keyof typeof validations] ?? 'warn'
  return { manager: managerOf(request, query), dryRun: dryRun.length > 0, unknown }
}

export function isApply(request: IncomingMessage): boolean {
  return request.method === 'PATCH' && mediaType(request) === 'application/apply-patch+yaml'
}

function managerOf(request: IncomingMessage, query: URLSearchParams): string {
  const agent = request.headers['user-agent'] ?? ''
  return query.get('fieldManager') || agent.split('/')[0] || 'unknown'
}

const policies = ['Foreground', 'Background', 'Orphan']

/** DeleteOptions of a request's body, with what its query says where the body says nothing. Throws 400, 422. */
export function deleteOptions(body: string, media: string, query: URLSearchParams): DeleteOptions {
  const given = body.trim() === '' ? {} : optionsIn(body, media)
  const { gracePeriodSeconds } = given
  if (given.orphanDependents !== undefined)
    throw notImplemented('orphanDependents instead of a propagationPolicy')
  const policy = text(given.propagationPolicy) || (query.get('propagationPolicy') ?? '')
  const dryRun = Array.isArray(given.dryRun) ? given.dryRun : query.getAll('dryRun')
  const causes = [
    ...(policy === '' || policies.includes(policy)
      ? []
      : [unsupported('propagationPolicy', policy, [...policies, 'nil'])]),
    ...(dryRun.every((value) => value === 'All') ? [] : [unsupported('dryRun', dryRun, ['All'])]),
  ]
  if (causes.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', causes)
  return {
    gracePeriodSeconds:
      typeof gracePeriodSeconds === 'number' ? gracePeriodSeconds : numberOf(query, 'gracePeriodSeconds'),
    propagationPolicy: policy || undefined,
    uid: text(at(given, 'preconditions', 'uid')) || undefined,
    resourceVersion: text(at(given, 'preconditions', 'resourceVersion')) || undefined,
    dryRun: dryRun.length > 0,
  }
}

function optionsIn(body: string, media: string): Readonly<Record<string, unknown>> {
  const { value, problem } = media === 'application/yaml' ? yaml(body) : json(body)
  if (problem !== undefined) throw badRequest(`couldn't get version/kind; json parse error: ${problem}`)
  if (isObject(value) && (value.kind === undefined || value.kind === 'DeleteOptions')) return value
  const { kind, apiVersion } = isObject(value) ? value : {}
  throw badRequest(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`)
}
