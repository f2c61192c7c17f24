import { errnoOf, KubesyncError, messageOf } from '../errors.ts'
import { isObject, type JsonObject } from './json.ts'

/** Which server a failure is about, for the sentence that tells of it. */
export interface Target {
  readonly server: string
  readonly context: string
}

/** A failure as the API server words it (`metav1.Status`). */
export interface ApiStatus {
  /** The HTTP status code. */
  readonly code: number
  /** CamelCase (`AlreadyExists`), empty when the server gave none. */
  readonly reason: string
  readonly message: string
}

/** The API server answered, and the answer is no. */
export class ApiError extends KubesyncError {
  readonly status: ApiStatus

  constructor(code: string, status: ApiStatus, options: { message: string; hint?: string }) {
    super(code, options.message, options.hint === undefined ? {} : { hint: options.hint })
    this.status = status
  }
}

/** `read /api/v1/pods`: what a request does, as far as method and path tell. */
export function actionOf(method: string, path: string): string {
  const verb = { POST: 'create', PUT: 'replace', PATCH: 'change', DELETE: 'delete' }[method] ?? 'read'
  return `${verb} ${path}`
}

/** Reads a `Status` object, or makes one of whatever a server or a proxy before it answered with. */
export function readStatus(httpCode: number, body: string): ApiStatus {
  const status = parseObject(body)
  const code = typeof status?.code === 'number' ? status.code : httpCode
  const reason = typeof status?.reason === 'string' ? status.reason : ''
  const message = typeof status?.message === 'string' ? status.message : body.trim().slice(0, 300)
  return { code: code >= 400 ? code : httpCode, reason, message }
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** The error for an answer with a status of 400 or more; `action` follows "cannot" and "not allowed to". */
export function apiError(target: Target, action: string, status: ApiStatus): ApiError {
  const said = status.message === '' ? `HTTP ${status.code}` : status.message
  switch (status.code) {
    case 401:
      return new ApiError('UNAUTHORIZED', status, {
        message: `The API server at ${target.server} does not accept the credentials of context "${target.context}": ${said}`,
        hint: 'Log in again (they may have expired), then try `kubectl auth whoami` with the same context.',
      })
    case 403:
      return new ApiError('FORBIDDEN', status, {
        message: `Not allowed to ${action} (context "${target.context}"): ${said}`,
        hint: 'Ask whoever administers the cluster for this permission.',
      })
    default:
      return new ApiError(codeOf(status), status, {
        message: `Cannot ${action} at ${target.server}: ${said}`,
      })
  }
}

const BY_HTTP_CODE: Readonly<Record<number, string>> = {
  404: 'NOT_FOUND',
  410: 'GONE',
  429: 'TOO_MANY_REQUESTS',
  503: 'SERVER_UNAVAILABLE',
}

function codeOf(status: ApiStatus): string {
  const known = BY_HTTP_CODE[status.code]
  if (known !== undefined) return known
  if (status.reason === '') return status.code === 409 ? 'CONFLICT' : 'SERVER_ERROR'
  return status.reason.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()
}

/** The error for a connection that was not made, broke, or stayed silent for `timeoutMs`. */
export function connectionError(target: Target, error: unknown): KubesyncError {
  if (error instanceof KubesyncError) return error
  const code = codeOfConnectionFailure(error)
  if (isClientCertificateAlert(code)) return clientCertificateRefused(target, error)
  if (isCertificateCode(code)) return certificateRefused(target, error)
  const { what, hint } = describe(target, code, error)
  return new KubesyncError('SERVER_UNREACHABLE', what, { hint, cause: error })
}

/** The error for a server that said nothing for that long. */
export function silenceError(target: Target, milliseconds: number): KubesyncError {
  return new KubesyncError(
    'SERVER_UNREACHABLE',
    `The API server at ${target.server} did not answer within ${milliseconds / 1000} s.`,
    { hint: `Is a VPN or a firewall in the way? ${checkContext(target)}` },
  )
}

function checkContext(target: Target): string {
  return `Context "${target.context}" says that the server is there; \`kubectl config view\` shows it.`
}

/** With several addresses to try, Node wraps what failed in an AggregateError. */
function codeOfConnectionFailure(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined
  return errnoOf(error) ?? errnoOf(first) ?? ''
}

function describe(target: Target, code: string, error: unknown): { what: string; hint: string } {
  const server = `The API server at ${target.server}`
  switch (code) {
    case 'ECONNREFUSED':
      return { what: `${server} refuses connections.`, hint: `Does the cluster run? ${checkContext(target)}` }
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return {
        what: `The name of the API server at ${target.server} cannot be resolved.`,
        hint: `Is the network or a VPN down? ${checkContext(target)}`,
      }
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
      return { what: `${server} does not speak TLS: ${messageOf(error)}`, hint: checkContext(target) }
    default: {
      const detail = messageOf(error instanceof AggregateError ? (error.errors[0] ?? error) : error)
      return {
        what: `${server} cannot be reached: ${detail}`,
        hint: `Is a VPN or a firewall in the way? ${checkContext(target)}`,
      }
    }
  }
}

/** Names of OpenSSL's verification results, as Node gives them in `error.code`. */
function isCertificateCode(code: string): boolean {
  return (
    /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|CRL_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|PATH_LENGTH_|SUBJECT_ISSUER_|AKID_)/.test(
      code,
    ) || code === 'ERR_TLS_CERT_ALTNAME_INVALID'
  )
}

function certificateRefused(target: Target, error: unknown): KubesyncError {
  return new KubesyncError(
    'CERTIFICATE_REFUSED',
    `The certificate of the API server at ${target.server} is not trusted: ${messageOf(error)}`,
    {
      hint: `Check certificate-authority-data and tls-server-name of the cluster of context "${target.context}", or fetch its kubeconfig anew.`,
      cause: error,
    },
  )
}

/** TLS alerts by which a server refuses the certificate that we showed, or that we showed none. */
function isClientCertificateAlert(code: string): boolean {
  return /^ERR_SSL_.*ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|ACCESS_DENIED)$/.test(
    code,
  )
}

function clientCertificateRefused(target: Target, error: unknown): KubesyncError {
  return new KubesyncError(
    'UNAUTHORIZED',
    `The API server at ${target.server} refuses the client certificate of context "${target.context}": ${messageOf(error)}`,
    { hint: 'It may have expired: fetch the kubeconfig anew.', cause: error },
  )
}
