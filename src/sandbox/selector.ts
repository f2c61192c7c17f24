import { badRequest } from './failure.ts'
import { at, type KubeObject } from './object.ts'
import type { ResourceType } from './resource.ts'

export type Selects = (object: KubeObject) => boolean

const everything: Selects = () => true

/** Fields, beside name and namespace, that field selectors may name, by resource. */
const selectable: Readonly<Record<string, readonly string[]>> = {
  pods: [
    ...['nodeName', 'restartPolicy', 'schedulerName', 'serviceAccountName', 'hostNetwork'].map(
      (f) => `spec.${f}`,
    ),
    ...['phase', 'podIP', 'nominatedNodeName'].map((field) => `status.${field}`),
  ],
  events: [
    ...['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map(
      (field) => `involvedObject.${field}`,
    ),
    ...['reason', 'reportingComponent', 'source', 'type'],
  ],
  secrets: ['type'],
  nodes: ['spec.unschedulable'],
  namespaces: ['status.phase'],
}

/** What a field selector selects: `status.phase!=Running,metadata.name=web`. Throws 400 as the server says it. */
export function fieldSelector(type: ResourceType, selector: string): Selects {
  const terms = selector.split(',').filter((term) => term !== '')
  return all(terms.map((term) => fieldTerm(type, term)))
}

function fieldTerm(type: ResourceType, term: string): Selects {
  const [, field, operator, value = ''] = /^(.*?)(!=|==|=)(.*)$/.exec(term) ?? []
  if (field === undefined) throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`)
  const path = pathOf(type, field).split('.')
  return (object) => (printed(at(object, ...path), field) === value) === (operator !== '!=')
}

/** What fields that are no text read as when they are not there. */
const unset: Readonly<Record<string, string>> = { 'spec.hostNetwork': 'false', 'spec.unschedulable': 'false' }

function printed(value: unknown, field: string): string {
  return value === undefined || value === null ? (unset[field] ?? '') : String(value)
}

function pathOf({ key }: ResourceType, field: string): string {
  if (field === 'metadata.name' || field === 'metadata.namespace') return field
  const own = selectable[key] ?? []
  if (own.includes(field)) return field === 'source' ? 'source.component' : field
  if (own.length > 0) throw badRequest(`field label not supported: ${field}`)
  throw badRequest(`"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`)
}

/** What a label selector selects: `app=web,tier in (a,b),!canary`. Throws 400. */
export function labelSelector(selector: string): Selects {
  if (selector.trim() === '') return everything
  return all(selector.split(/,(?![^(]*\))/).map((term) => labelTerm(term.trim())))
}

const name = String.raw`[\w./-]+`
const setTerm = new RegExp(String.raw`^(${name})\s+(in|notin)\s*\(([^()]*)\)$`)
const valueTerm = new RegExp(String.raw`^(${name})\s*(=|==|!=|>|<)\s*([\w.-]*)$`)
const keyTerm = new RegExp(String.raw`^(!?)\s*(${name})$`)

function labelTerm(term: string): Selects {
  const labelOf = (object: KubeObject, key: string) => object.metadata.labels?.[key]
  const [, setKey = '', setOperator, values = ''] = setTerm.exec(term) ?? []
  if (setOperator !== undefined) {
    const set = values.split(',').map((value) => value.trim())
    return (object) => {
      const label = labelOf(object, setKey)
      return setOperator === 'in'
        ? label !== undefined && set.includes(label)
        : label === undefined || !set.includes(label)
    }
  }
  const [, key = '', operator, value = ''] = valueTerm.exec(term) ?? []
  if (operator !== undefined) return (object) => compares(labelOf(object, key), operator, value)
  const [, not, present] = keyTerm.exec(term) ?? []
  if (present === undefined)
    throw badRequest(`unable to parse requirement: found '${term}', expected: a requirement`)
  return (object) => (labelOf(object, present) !== undefined) === (not === '')
}

function compares(label: string | undefined, operator: string, value: string): boolean {
  switch (operator) {
    case '!=':
      return label !== value
    case '>':
      return label !== undefined && Number(label) > Number(value)
    case '<':
      return label !== undefined && Number(label) < Number(value)
    default:
      return label === value
  }
}

function all(terms: readonly Selects[]): Selects {
  return (object) => terms.every((selects) => selects(object))
}
