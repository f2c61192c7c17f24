import type { Remark } from '../../manifests/folder/documents.ts'
import type { Plan } from '../../manifests/plan/plan.ts'
import type { Style } from '../../ui/style.ts'
import { count, grouped, printable } from '../../ui/text.ts'

/** What to do about changes that the other command is for; empty where there are none. */
export function describeOthers({ direction, resources }: Plan): string {
  const whose = direction === 'push' ? 'theirs' : 'yours'
  const isTheirs = resources.some(({ differences }) =>
    differences.some((one) => one.whose === whose && one.path.length > 0 && !one.isHeld),
  )
  if (!isTheirs || direction === 'change') return ''
  return direction === 'push'
    ? 'what is theirs stays as it is; `pull` brings it here'
    : 'what is yours stays as it is; `push` takes it to the cluster'
}

/** What was wrong in files, what could not be read, and what was left out. */
export function showRemarks(
  { remarks, leftOut, problems }: Pick<Plan, 'remarks' | 'leftOut' | 'problems'>,
  style: Style,
): string {
  const lines = [
    ...remarks.map((remark) => showRemark(remark, style)),
    ...problems.map(
      ({ what, reason }) => `${style('yellow', 'warning:')} ${printable(what)}: ${printable(reason)}`,
    ),
    ...leftOut.map(
      ({ reason, count: amount }) => `left out: ${count(amount, 'object')}, ${printable(reason)}`,
    ),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

function showRemark({ file, reason, isProblem, line, column, source }: Remark, style: Style): string {
  const at = line === undefined ? '' : `:${line}:${column ?? 1}`
  const head = isProblem ? style('red', 'error:') : 'passed over:'
  const quoted = source === undefined ? '' : `\n    ${printable(source)}`
  return `${head} ${printable(file)}${at}: ${printable(reason)}${quoted}`
}

/** `2 changed, 1 new, 497 the same`. */
export function showSummary({ resources, between }: Plan): string {
  const isPromotion = between !== undefined
  const states = [
    ['conflict', 'with conflicts'],
    ['changed', isPromotion ? 'different' : 'changed'],
    ['only-local', isPromotion ? 'only in the source' : 'only in files'],
    ['only-remote', isPromotion ? 'only in the target' : 'only in the cluster'],
    ['refused', 'refused'],
    ['same', 'the same'],
  ] as const
  const counted = states
    .map(([state, said]) => [resources.filter((resource) => resource.state === state).length, said] as const)
    .filter(([amount]) => amount > 0)
    .map(([amount, said]) => `${grouped(amount)} ${said}`)
  return counted.length === 0 ? count(0, 'object') : counted.join(', ')
}
