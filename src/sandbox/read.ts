import type { Context } from './context.ts'
import { ApiFailure, badRequest, expired, invalid } from './failure.ts'
import { isObject, type KubeObject, refOf } from './object.ts'
import { inVersion } from './resource.ts'
import type { Target } from './route.ts'
import { fieldSelector, labelSelector, type Selects } from './selector.ts'
import { forbiddenField, unsupported } from './validate/causes.ts'

/** A list, or one page of it. */
export interface Page {
  readonly revision: number
  readonly items: readonly KubeObject[]
  readonly continue?: string
  readonly remaining?: number
}

/** What a request's labelSelector and fieldSelector select of its target. */
export function selection({ type, name }: Target, query: URLSearchParams): Selects {
  const labels = labelSelector(query.get('labelSelector') ?? '')
  const fields = fieldSelector(type, query.get('fieldSelector') ?? '')
  return (object) => (name === undefined || object.metadata.name === name) && labels(object) && fields(object)
}

/** Lists what a request asks for; all pages of a list are of the revision of the first. */
export function list(context: Context, target: Target, query: URLSearchParams): Page {
  checkListOptions(query)
  const token = query.get('continue') ?? ''
  const start = token === '' ? undefined : parsedToken(token, query)
  const revision = start?.rv ?? revisionOf(context, query)
  const selects = selection(target, query)
  const found = objectsAt(context, target, { revision, continues: start !== undefined }).filter(selects)
  const rest = start === undefined ? found : found.filter(({ metadata }) => refOf(metadata) > start.start)
  return paged(rest, { revision, limit: numberOf(query, 'limit') ?? 0, selective: isSelective(query) })
}

function paged(
  items: readonly KubeObject[],
  how: { revision: number; limit: number; selective: boolean },
): Page {
  const { revision, limit, selective } = how
  const page = limit > 0 ? items.slice(0, limit) : items
  const last = page.at(-1)
  const remaining = items.length - page.length
  if (remaining === 0 || last === undefined) return { revision, items: page }
  const token = { v: 'meta.k8s.io/v1', rv: revision, start: refOf(last.metadata) }
  const more = Buffer.from(JSON.stringify(token)).toString('base64url')
  // With a selector a real server does not know how many will be left.
  return { revision, items: page, continue: more, ...(selective ? {} : { remaining }) }
}

function isSelective(query: URLSearchParams): boolean {
  return [query.get('labelSelector'), query.get('fieldSelector')].some((selector) => (selector ?? '') !== '')
}

function objectsAt(
  context: Context,
  target: Target,
  at: { revision: number; continues: boolean },
): KubeObject[] {
  const { store } = context
  const { type, namespace } = target
  const objects =
    at.revision === store.revision
      ? store.list(type.key, namespace)
      : keptAt(() => store.listAt(type.key, at.revision, namespace), at.continues)
  return objects.map((object) => inVersion(object, type.apiVersion))
}

function keptAt(read: () => KubeObject[], continues: boolean): KubeObject[] {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ApiFailure && error.code === 410)) throw error
    throw expired(
      continues
        ? 'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.'
        : 'The resourceVersion for the provided list is too old.',
    )
  }
}

/** The revision a list is to show: only with Exact it may be an earlier one. */
function revisionOf({ store }: Context, query: URLSearchParams): number {
  const asked = resourceVersionOf(query) ?? 0
  if (asked > store.revision) throw tooLarge(asked, store.revision)
  const pagesAt = Number(query.get('limit') ?? 0) > 0 && query.get('resourceVersionMatch') === null
  const exact = query.get('resourceVersionMatch') === 'Exact' || pagesAt
  return exact && asked > 0 ? asked : store.revision
}

/** A resourceVersion of the future. */
export function tooLarge(asked: number, current: number): ApiFailure {
  const message = `Timeout: Too large resource version: ${asked}, current: ${current}`
  const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }]
  return new ApiFailure(504, 'Timeout', message, { causes, retryAfterSeconds: 1 })
}

/** The query's resourceVersion; undefined when there is none. Throws 400. */
export function resourceVersionOf(query: URLSearchParams): number | undefined {
  const given = query.get('resourceVersion') ?? ''
  if (given === '') return undefined
  if (/^\d+$/.test(given)) return Number(given)
  const why = `Invalid value: ${JSON.stringify(given)}: strconv.ParseUint: parsing ${JSON.stringify(given)}: invalid syntax`
  throw badRequest(`invalid resource version: resourceVersion: ${why}`)
}

/** A whole number in a query. Throws 400. */
export function numberOf(query: URLSearchParams, name: string): number | undefined {
  const given = query.get(name) ?? ''
  if (given === '') return undefined
  if (/^[+-]?\d+$/.test(given)) return Number(given)
  throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(given)}: invalid syntax`)
}

function parsedToken(token: string, query: URLSearchParams): { rv: number; start: string } {
  if (!['', '0', null].includes(query.get('resourceVersion'))) {
    throw badRequest('specifying resource version is not allowed when using continue')
  }
  const parsed = jsonOf(Buffer.from(token, 'base64url').toString())
  const { rv, start } = isObject(parsed) ? parsed : {}
  if (typeof rv === 'number' && typeof start === 'string') return { rv, start }
  throw badRequest('invalid continue token: continue key is not valid')
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

interface Asked {
  readonly version: string
  readonly match: string
  readonly watch: boolean
  readonly initial: string
}

/** Combinations of options that make no sense, by the field that is told of, as the server's own checks say it. */
const nonsense: readonly (readonly [field: string, why: string, is: (asked: Asked) => boolean])[] = [
  [
    'resourceVersionMatch',
    'resourceVersionMatch is forbidden unless resourceVersion is provided',
    ({ version, match, initial }) => match !== '' && version === '' && initial === '',
  ],
  [
    'resourceVersionMatch',
    'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    ({ version, match }) => match === 'Exact' && version === '0',
  ],
  [
    'resourceVersionMatch',
    'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
    ({ match, watch, initial }) => watch && match !== '' && initial === '',
  ],
  [
    'resourceVersionMatch',
    'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    ({ match, watch, initial }) => watch && initial !== '' && match !== 'NotOlderThan',
  ],
  [
    'sendInitialEvents',
    'sendInitialEvents is forbidden for list',
    ({ watch, initial }) => !watch && initial !== '',
  ],
]

const matches = ['Exact', 'NotOlderThan', '']

/** Throws 422 for options of a list or watch that contradict each other. */
export function checkListOptions(query: URLSearchParams, watch = false): void {
  const of = (name: string) => query.get(name) ?? ''
  const match = of('resourceVersionMatch')
  const asked = { version: of('resourceVersion'), match, watch, initial: of('sendInitialEvents') }
  const causes = [
    ...nonsense.filter(([, , is]) => is(asked)).map(([field, why]) => forbiddenField(field, why)),
    ...(matches.includes(match) ? [] : [unsupported('resourceVersionMatch', match, matches)]),
  ]
  if (causes.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', causes)
}
