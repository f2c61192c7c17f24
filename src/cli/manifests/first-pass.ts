import type { FirstPass } from '../../manifests/keep/first-pass.ts'
import type { Direction, FieldDifference, ResourcePlan } from '../../manifests/plan/plan.ts'
import type { Style } from '../../ui/style.ts'
import { count, printable } from '../../ui/text.ts'
import { showPlan, showResource } from './show.ts'

/** What would be written at first, in both directions, and what waits for an answer. */
export function showFirstPass({ plan, decision, problems }: FirstPass, style: Style): string {
  const { halt, questions, removals } = decision
  const up = chosen(plan.resources, decision, 'push')
  const down = chosen(plan.resources, decision, 'pull')
  const title = (text: string) => `\n${style('bold', text)}\n`
  return [
    showPlan({ ...plan, resources: [] }, style),
    ...(up.length === 0
      ? []
      : [title('To the cluster:'), ...up.map((one) => showResource(one, 'push', style))]),
    ...(down.length === 0
      ? []
      : [title('To files:'), ...down.map((one) => showResource(one, 'pull', style))]),
    ...(removals.length === 0 ? [] : [title('Deleted:')]),
    ...removals.map(({ plan: { id, place }, from }) => {
      const where = from === 'file' ? place.file : 'the cluster'
      return style('red', `  - ${printable(id)} from ${printable(where)}\n`)
    }),
    ...(questions.length === 0 ? [] : [title('Waits for an answer:')]),
    ...questions.map(({ plan: { id }, difference, why }) => {
      const field = difference.path.length === 0 ? '' : `: ${printable(difference.id)}`
      return style('yellow', `  ~ ${printable(id)}${field}: ${printable(why)}\n`)
    }),
    ...problems.map(
      ({ about, reason }) => `${style('yellow', 'warning:')} ${printable(about)}: ${printable(reason)}\n`,
    ),
    ...(halt === undefined ? [] : [`${style('red', 'halted:')} ${printable(halt.why)}\n`]),
  ].join('')
}

/** What a first pass comes to: `2 objects to the cluster, 1 to files, 3 questions`; empty if it would do nothing. */
export function recapFirstPass({ plan: { resources }, decision }: FirstPass): string {
  const parts = [
    [chosen(resources, decision, 'push').length, 'to the cluster'],
    [chosen(resources, decision, 'pull').length, 'to files'],
    [decision.removals.length, 'to be deleted'],
  ] as const
  return parts
    .filter(([amount]) => amount > 0)
    .map(([amount, where]) => `${count(amount, 'object')} ${where}`)
    .join(', ')
}

/** The objects of which something goes that way, with just that. */
function chosen(
  resources: readonly ResourcePlan[],
  { selection }: FirstPass['decision'],
  direction: Direction,
): ResourcePlan[] {
  const wanted = direction === 'push' ? 'take' : 'reverse'
  return resources.flatMap((one) => {
    const choices = selection.get(one.id)
    if (choices === undefined || typeof choices === 'string') return []
    const differences = one.differences.filter(({ id }) => choices.get(id) === wanted)
    return differences.length === 0
      ? []
      : [{ ...one, differences: differences.map((it) => as(it, direction)) }]
  })
}

/** What a policy decides is shown as what it writes. */
function as(difference: FieldDifference, direction: Direction): FieldDifference {
  if (difference.whose !== 'both') return difference
  return { ...difference, whose: direction === 'push' ? 'yours' : 'theirs' }
}
