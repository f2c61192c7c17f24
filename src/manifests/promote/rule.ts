import type { Condition } from '../sanitize/rule.ts'

/**
 * Whether a field says what runs, and is the same wherever it runs (`portable`), or where it runs (`bound` to an environment).
 * `unclassed`: nobody said.
 */
export type Nature = 'portable' | 'bound' | 'unclassed'

/** What a field is. The first of a list of rules that covers a value says it, for the value and all below it. */
export interface FieldRule {
  readonly nature: 'portable' | 'bound'
  /** `Service`, `Deployment.apps`, or `*` for every kind. */
  readonly kind: string
  /** As in the rules of sanitising: `spec.ports[*].nodePort`, `**.containers[*].image`. */
  readonly path: string
  /** All of them must hold, each of a value below what the path leads to, or of that itself. */
  readonly when: readonly Condition[]
  /** What the last step of the path, a field's name, must be like: a regular expression. */
  readonly name?: string | undefined
  /** It holds only where both sides differ in what this regular expression captures of a text. */
  readonly differs?: string | undefined
  /** Whether an object cannot be created without it. */
  readonly isNeeded: boolean
  readonly reason: string
}
