import * as v from 'valibot'

/**
 * What is removed from an object: the place, by kind and path, and under which conditions. It is a list of
 * what goes, so that what no rule knows stays.
 */
export const ruleSchema = v.strictObject({
  /** `Service`, `Deployment.apps`, or `*` for every kind. */
  kind: v.pipe(v.string(), v.minLength(1)),
  /**
   * From the object down: `spec.ports[*].nodePort`, `metadata.annotations["a.b/c"]`. `[*]` is every item of a
   * list, `*` every field of a map, `**` any number of steps.
   */
  path: v.pipe(v.string(), v.minLength(1)),
  /** All of them must hold, each of a value below what the path leads to, or of that itself. */
  when: v.optional(v.array(v.lazy(() => conditionSchema)), []),
  /** None of them may hold, each of a value below the object's root. */
  unless: v.optional(v.array(v.lazy(() => conditionSchema)), []),
  /**
   * Whether the server chose the value, where the user may also choose one: it stays if the user's file
   * has it.
   */
  allocated: v.optional(v.boolean(), false),
  /** Why it does not belong into a file; `--explain` prints it. */
  reason: v.pipe(v.string(), v.minLength(1)),
})

const conditionSchema = v.strictObject({
  /** Relative; without it the value itself. */
  path: v.optional(v.string(), ''),
  equals: v.optional(v.union([v.string(), v.number(), v.boolean(), v.null()])),
  not: v.optional(v.union([v.string(), v.number(), v.boolean(), v.null()])),
  /** A regular expression. */
  matches: v.optional(v.string()),
})

export type Rule = v.InferOutput<typeof ruleSchema>
export type RuleInput = v.InferInput<typeof ruleSchema>
export type Condition = v.InferOutput<typeof conditionSchema>
