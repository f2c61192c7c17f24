import type { JsonObject } from './object.ts'

/** A cause in a Status: which field, and what is wrong with it. */
export interface Cause {
  readonly reason: string
  readonly message: string
  readonly field?: string
}

/** What a Status tells beside its message. */
export interface StatusDetails {
  readonly name?: string
  readonly group?: string
  readonly kind?: string
  readonly uid?: string
  readonly causes?: readonly Cause[]
  readonly retryAfterSeconds?: number
}

/** A request that is refused, as the API says it: an HTTP status code, a reason, a message. */
export class ApiFailure extends Error {
  readonly code: number
  readonly reason: string
  readonly details: StatusDetails | undefined

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message)
    this.code = code
    this.reason = reason
    this.details = details
  }
}

/** How a resource is named in messages and details: plural and group. */
export interface Named {
  readonly group: string
  readonly plural: string
}

const qualified = ({ group, plural }: Named) => (group === '' ? plural : `${plural}.${group}`)
const detailsOf = ({ group, plural }: Named, name: string): StatusDetails => ({
  name,
  ...(group === '' ? {} : { group }),
  kind: plural,
})

export function notFound(resource: Named, name: string): ApiFailure {
  return new ApiFailure(
    404,
    'NotFound',
    `${qualified(resource)} "${name}" not found`,
    detailsOf(resource, name),
  )
}

export function alreadyExists(resource: Named, name: string): ApiFailure {
  const message = `${qualified(resource)} "${name}" already exists`
  return new ApiFailure(409, 'AlreadyExists', message, detailsOf(resource, name))
}

export function conflict(resource: Named, name: string, why: string): ApiFailure {
  const message = `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`
  return new ApiFailure(409, 'Conflict', message, detailsOf(resource, name))
}

/** Fields that are wrong; the server names the kind, not the plural, here. */
export function invalid(
  of: { group: string; kind: string },
  name: string,
  causes: readonly Cause[],
): ApiFailure {
  const said = causes.map(({ field, message }) => (field === undefined ? message : `${field}: ${message}`))
  const all = said.length === 1 ? said[0] : `[${said.join(', ')}]`
  const kind = of.group === '' ? of.kind : `${of.kind}.${of.group}`
  return new ApiFailure(422, 'Invalid', `${kind} "${name}" is invalid: ${all}`, {
    ...(name === '' ? {} : { name }),
    ...(of.group === '' ? {} : { group: of.group }),
    ...(of.kind === '' ? {} : { kind: of.kind }),
    causes,
  })
}

export function badRequest(message: string): ApiFailure {
  return new ApiFailure(400, 'BadRequest', message)
}

export function forbidden(resource: Named, name: string, why: string): ApiFailure {
  const message = `${qualified(resource)} "${name}" is forbidden: ${why}`
  return new ApiFailure(403, 'Forbidden', message, detailsOf(resource, name))
}

/** The revision asked for is no longer kept. */
export function expired(message: string): ApiFailure {
  return new ApiFailure(410, 'Expired', message)
}

/** What a real server does and the sandbox does not. */
export function notImplemented(feature: string): ApiFailure {
  return new ApiFailure(501, 'NotImplemented', `the sandbox does not do this: ${feature}`)
}

/** The body that goes with a failure. */
export function statusOf(failure: ApiFailure): JsonObject {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: failure.message,
    // An internal error has none.
    ...(failure.reason === '' ? {} : { reason: failure.reason }),
    ...(failure.details === undefined ? {} : { details: failure.details }),
    code: failure.code,
  }
}
