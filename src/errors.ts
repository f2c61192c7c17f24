/**
 * An error a user can act on: what happened, to which object or path, and what to do next.
 * Anything else that is thrown is a defect of ours and is shown as such.
 */
export class KubesyncError extends Error {
  override readonly name = 'KubesyncError'
  /** Stable, upper snake case, for scripts and tests: `SPEC_OVERLAPS`, `SERVER_UNREACHABLE`. */
  readonly code: string
  /** What the user can do about it, a sentence or a command. */
  readonly hint: string | undefined

  constructor(code: string, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
  }
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The `code` of a Node system error (`ENOENT`, `ECONNREFUSED`), or undefined. */
export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}
