import { describePath } from '../../manifests/diff/compare.ts'
import type { FieldDifference, Plan, ResourcePlan, Whose } from '../../manifests/plan/plan.ts'
import type { Json } from '../../manifests/value.ts'
import type { Style } from '../../ui/style.ts'
import { count, printable } from '../../ui/text.ts'

/** A plan as plain text: where it is about, and by resource and field what differs. */
export function showPlan(plan: Plan, style: Style): string {
  const shown = plan.resources.filter(({ state, notes }) => state !== 'same' || notes.length > 0)
  return [showHeader(plan), ...shown.map((resource) => showResource(resource, plan, style))].join('')
}

function showHeader({ cluster: { context, server, namespace } }: Plan): string {
  return `context ${printable(context)}   server ${printable(server)}   namespace ${printable(namespace)}\n`
}

function showResource(resource: ResourcePlan, plan: Plan, style: Style): string {
  const { id, place, state, differences, notes, replace } = resource
  const title = `${style('bold', printable(id))}  ${printable(place.file)}  ${stateWords(state, plan)}\n`
  const lines = [
    ...differences.flatMap((difference) => showDifference(difference, style)),
    ...(replace === undefined ? [] : [style('yellow', `! ${printable(replace.reason)}`)]),
    ...notes.map((note) => style('yellow', `! ${printable(note)}`)),
  ]
  return title + lines.map((line) => `  ${line}\n`).join('')
}

function stateWords(state: ResourcePlan['state'], { direction }: Plan): string {
  switch (state) {
    case 'only-local':
      return direction === 'push' ? '(will be created)' : '(not in the cluster)'
    case 'only-remote':
      return direction === 'pull' ? '(new file)' : '(in no file)'
    case 'conflict':
      return '(conflict)'
    case 'refused':
      return '(refused)'
    default:
      return ''
  }
}

function showDifference(difference: FieldDifference, style: Style): string[] {
  const { path, local, remote, isSecret } = difference
  // A whole object that only one side has: its name has said it.
  if (path.length === 0) return []
  const head = `${printable(describePath(path))}  ${style('dim', whoseWords(difference))}`
  const value = (it: Json) => (isSecret ? '(hidden)' : printable(JSON.stringify(it)))
  return [
    head,
    ...(remote === undefined ? [] : [`  cluster ${style('red', value(remote))}`]),
    ...(local === undefined ? [] : [`  file    ${style('green', value(local))}`]),
  ]
}

const words: Readonly<Record<Whose, string>> = {
  yours: 'yours',
  theirs: 'theirs',
  both: 'conflict: changed on both sides',
  differs: 'differs',
  default: 'a default',
  webhook: "a webhook's",
}

function whoseWords({ whose, manager, isHeld }: FieldDifference): string {
  if (manager === undefined) return words[whose]
  return isHeld ? `${words[whose]}, held by ${printable(manager)}` : `${words[whose]} (${printable(manager)})`
}

/** `2 changed, 1 new, 497 the same`. */
export function showSummary({ resources }: Plan): string {
  const states = [
    ['conflict', 'with conflicts'],
    ['changed', 'changed'],
    ['only-local', 'only in files'],
    ['only-remote', 'only in the cluster'],
    ['refused', 'refused'],
    ['same', 'the same'],
  ] as const
  const counted = states
    .map(([state, said]) => [resources.filter((resource) => resource.state === state).length, said] as const)
    .filter(([amount]) => amount > 0)
    .map(([amount, said]) => `${amount.toLocaleString('en-US')} ${said}`)
  return counted.length === 0 ? count(0, 'object') : counted.join(', ')
}
