import * as v from 'valibot'
import { messageOf } from '../errors.ts'

/** How a command in a container, or the stream to it, came to its end. */
export type ExecExit =
  /** The command ended, with its exit code. */
  | { readonly kind: 'exited'; readonly code: number }
  /** The command could not be run: no such file, no such container, the runtime failed. */
  | { readonly kind: 'failed'; readonly message: string }
  /** We closed the stream. */
  | { readonly kind: 'closed' }
  /** The stream broke; nobody knows what became of the command. */
  | { readonly kind: 'cut'; readonly message: string }

const statusSchema = v.looseObject({
  status: v.optional(v.string()),
  message: v.optional(v.string(), ''),
  reason: v.optional(v.string(), ''),
  details: v.nullish(
    v.looseObject({
      causes: v.nullish(
        v.array(v.looseObject({ reason: v.optional(v.string()), message: v.optional(v.string()) })),
      ),
    }),
  ),
})

/** Reads the `metav1.Status` that ends the error channel of an exec stream. */
export function parseExecStatus(text: string): ExecExit {
  try {
    const status = v.parse(statusSchema, JSON.parse(text))
    if (status.status === 'Success') return { kind: 'exited', code: 0 }
    const cause = status.details?.causes?.find(({ reason }) => reason === 'ExitCode')
    const code = Number.parseInt(cause?.message ?? '', 10)
    if (Number.isInteger(code)) return { kind: 'exited', code }
    return { kind: 'failed', message: status.message || status.reason || 'the server gave no reason' }
  } catch (error) {
    return {
      kind: 'failed',
      message: `the server ended with a status that cannot be read: ${messageOf(error)}`,
    }
  }
}
