import * as v from 'valibot'
import { KubesyncError, messageOf } from '../../errors.ts'
import { parsePattern } from '../path.ts'
import { type Rule, ruleSchema } from './rule.ts'
import { builtinRules } from './rules.ts'

/** As in the table of rules, but that what a user's file has stays there: nobody is made to delete it again and again. */
const ownSchema = v.strictObject({ ...ruleSchema.entries, allocated: v.optional(v.boolean(), true) })

/** The rules for Kubernetes' own kinds, and behind them those that a user wrote down. CONFIG_VALUE names one that cannot be used. */
export function allRules(own: readonly unknown[]): readonly Rule[] {
  return own.length === 0 ? builtinRules : [...builtinRules, ...own.map(readRule)]
}

function readRule(given: unknown, index: number): Rule {
  const read = v.safeParse(ownSchema, given)
  const reason = read.success ? mistakeIn(read.output) : describe(read.issues[0])
  if (read.success && reason === undefined) return read.output
  throw new KubesyncError('CONFIG_VALUE', `rule ${index + 1} of \`sanitize\` cannot be used: ${reason}`, {
    hint: 'such as {kind: Deployment.apps, path: \'metadata.annotations["ci/build"]\', reason: the pipeline sets it}',
  })
}

function describe(issue: v.BaseIssue<unknown>): string {
  const place = (issue.path ?? []).map(({ key }) => String(key)).join('.')
  return `${place === '' ? '' : `${place}: `}${issue.message}`
}

/** What a schema does not see: paths and expressions that cannot be read. */
function mistakeIn({ path, when, unless }: Rule): string | undefined {
  try {
    const conditions = [...when, ...unless]
    for (const one of [path, ...conditions.map((condition) => condition.path)]) parsePattern(one)
    for (const { matches } of conditions) new RegExp(matches ?? '')
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}
