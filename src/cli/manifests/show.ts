import {
  type Direction,
  type FieldDifference,
  type Plan,
  proposed,
  type ResourcePlan,
  type Whose,
} from '../../manifests/plan/plan.ts'
import { equal, isMap, type Json } from '../../manifests/value.ts'
import type { Style } from '../../ui/style.ts'
import { printable, printableLines } from '../../ui/text.ts'
import { type Field, hunk, type Line, masked, type Side, type Sign } from './hunk.ts'

/** A plan as text: where it is about, and by object and field what differs. */
export function showPlan(plan: Plan, style: Style): string {
  const shown = plan.resources.filter(({ state, notes }) => state !== 'same' || notes.length > 0)
  return [showHeader(plan), ...shown.map((resource) => showResource(resource, plan.direction, style))].join(
    '\n',
  )
}

function showHeader({ cluster: { context, server, namespace }, between }: Plan): string {
  if (between !== undefined) return `from ${printable(between[0])}\nto   ${printable(between[1])}\n`
  return `context ${printable(context)}   server ${printable(server)}   namespace ${printable(namespace)}\n`
}

/** An object of a plan: what it is, where it is written down, and what differs, as lines of YAML. */
export function showResource(resource: ResourcePlan, direction: Direction, style: Style): string {
  const { id, place, state, differences, notes, replace } = resource
  const [first] = differences
  const isNew =
    direction === 'change' ? first?.advice?.takes !== false : first && proposed(direction, first) === 'take'
  const words = stateWords(state, direction, isNew === true)
  const file = place.file === '' ? '' : style('dim', `(${printable(place.file)})`)
  const title = [style('bold', printable(id)), file, words]
  const warnings = [...(replace === undefined ? [] : [replace.reason]), ...notes]
  return [
    `${title.filter((part) => part !== '').join('  ')}\n`,
    // Of what is only offered, a line has to do: there may be a lot of it.
    state === 'only-local' && direction === 'change' && !isNew
      ? ''
      : showDifferences(differences, direction, style),
    ...warnings.map((text) => `${style('yellow', `  ! ${printable(text)}`)}\n`),
  ].join('')
}

/** Fields in which the sides differ: `-` goes, `+` comes, and `~` is told and stays unless somebody chooses otherwise. */
export function showDifferences(
  differences: readonly FieldDifference[],
  direction: Direction,
  style: Style,
): string {
  const fields = differences.flatMap((difference) => fieldOf(difference, direction))
  return hunk(fields)
    .map((line) => `${showLine(line, style)}\n`)
    .join('')
}

const colours = { ' ': 'dim', '-': 'red', '+': 'green', '~': 'yellow' } as const

function showLine({ sign, text, remark }: Line, style: Style): string {
  const line = style(colours[sign], `  ${sign} ${printableLines(text)}`)
  return remark === undefined ? line : `${line}  ${style('dim', `# ${printable(remark)}`)}`
}

function stateWords(state: ResourcePlan['state'], direction: Direction, isNew: boolean): string {
  switch (state) {
    case 'only-local':
      if (direction === 'pull') return 'not in the cluster'
      if (direction === 'push') return isNew ? 'will be created' : 'deleted in the cluster'
      return isNew ? 'will be created' : 'only in the source: name it to create it'
    case 'only-remote':
      if (direction === 'change') return 'only in the target: left alone'
      if (direction === 'push') return 'in no file'
      return isNew ? 'new file' : 'removed here'
    case 'conflict':
      return 'conflict'
    case 'refused':
      return 'refused'
    default:
      return ''
  }
}

function fieldOf(difference: FieldDifference, direction: Direction): Field[] {
  const { path, local, remote, whose, wanted } = difference
  if (wanted !== undefined) return [{ path, sides: changeSides(difference, wanted) }]
  // What a pull would write is read in the file; what a push would make is not written down anywhere else.
  if (path.length === 0 && (direction === 'pull' || local === undefined)) return []
  const [before, after] = direction === 'push' ? [remote, local] : [local, remote]
  const remark = whoseWords(difference)
  if (proposed(direction, difference) === 'take') {
    const first = before === undefined ? 'after' : 'before'
    return [
      {
        path,
        sides: [
          side(difference, { sign: '-', value: before, ...(first === 'before' && { remark }) }),
          side(difference, { sign: '+', value: after, ...(first === 'after' && { remark }) }),
        ],
      },
    ]
  }
  const sign: Sign = '~'
  if (whose === 'default' || whose === 'webhook')
    return [{ path, sides: [side(difference, { sign, value: remote, remark })] }]
  return [
    {
      path,
      sides: [
        side(difference, { sign, value: local, remark: 'file' }),
        side(difference, { sign, value: remote, remark: `cluster; ${remark}` }),
      ],
    },
  ]
}

/** What both sides are to have, below what they have; where they differ, each is shown if it does not have it yet. */
function changeSides(
  difference: FieldDifference,
  { value: wanted, side: only }: NonNullable<FieldDifference['wanted']>,
): Side[] {
  const { local, remote, isHeld, manager, whose, advice } = difference
  if (advice !== undefined) return advisedSides(difference, wanted)
  const isOpen = whose === 'both'
  const since = isOpen ? [manager === undefined ? 'changed since' : `changed since by ${manager}`] : []
  const held = isHeld ? [`held by ${manager}`] : []
  const before = (value: Json | undefined, remarks: readonly string[]) => {
    const remark = remarks.join(', ')
    return side(difference, { sign: isOpen ? '~' : '-', value, ...(remark !== '' && { remark }) })
  }
  const after = (remark?: string) =>
    side(difference, { sign: isOpen ? '~' : '+', value: wanted, ...(remark !== undefined && { remark }) })
  if (only === undefined && equal(local, remote)) return [before(local, held), after()]
  const [isHere, isThere] = [equal(local, wanted), equal(remote, wanted)]
  const open = [
    ...(isHere ? [] : [before(local, ['file', ...since])]),
    ...(isThere ? [] : [before(remote, ['cluster', ...since, ...held])]),
  ]
  if (only !== undefined) return [...open, after(isOpen ? 'before' : `in the ${only}`)]
  return [...open, after(isHere ? 'the file has it' : isThere ? 'the cluster has it' : undefined)]
}

/** What a promotion brings, and why it is preselected or not. */
function advisedSides(difference: FieldDifference, wanted: Json | undefined): Side[] {
  const { local, remote, advice } = difference
  const takes = advice?.takes === true
  const isApart = ![remote, wanted].some((value) => equal(local, value)) && !equal(remote, wanted)
  const present = isApart ? [local, remote] : [equal(remote, wanted) ? local : remote]
  const [before, after, theirs] = takes ? (['-', '+', ''] as const) : (['~', '~', 'the source'] as const)
  const told = (...words: string[]) => {
    const remark = words.filter((word) => word !== '').join('; ')
    return remark === '' ? {} : { remark }
  }
  const reason = advice?.reason ?? ''
  const now = present.flatMap((value, index) =>
    value === undefined ? [] : [{ value, place: isApart ? (['file', 'cluster'][index] ?? '') : '' }],
  )
  return [
    ...now.map(({ value, place }, index) =>
      side(difference, { sign: before, value, ...told(place, index === 0 ? reason : '') }),
    ),
    side(difference, { sign: after, value: wanted, ...told(theirs, now.length === 0 ? reason : '') }),
  ]
}

function side({ isSecret, path }: FieldDifference, { sign, value, remark }: Side): Side {
  return {
    sign,
    value: value === undefined || !isSecret ? value : hidden(value, path.length === 0),
    ...(remark !== undefined && { remark }),
  }
}

/** Of a whole object, what is secret in it. */
function hidden(value: Json, isWhole: boolean): Json {
  if (!isWhole || !isMap(value)) return masked(value)
  const names = ['data', 'stringData'].filter((name) => value[name] !== undefined)
  return { ...value, ...Object.fromEntries(names.map((name) => [name, masked(value[name] ?? null)])) }
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
  // Whoever wrote what is replaced matters only to whoever did not replace it.
  if (manager === undefined || (whose === 'yours' && !isHeld)) return words[whose]
  return isHeld ? `${words[whose]}, held by ${manager}` : `${words[whose]} (${manager})`
}
