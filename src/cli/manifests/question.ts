import {
  type Choice,
  choiceOf,
  type FieldDifference,
  type Plan,
  proposed,
  type ResourceChoice,
  type ResourcePlan,
  type Selection,
} from '../../manifests/plan/plan.ts'
import { count, printable } from '../../ui/text.ts'
import { answered, type Person } from './answered.ts'
import { showDifferences, showResource } from './show.ts'

/**
 * Asks what of a plan is to be carried out: all, none, or a selection by object and then by field, as `git add -p`
 * does it. Undefined if nothing is: the person left, or there is nobody any more.
 */
export async function choose(plan: Plan, person: Person): Promise<Selection | undefined> {
  const open = plan.resources.filter((resource) => choosable(resource, plan).length > 0)
  const ready = open.filter((resource) => proposal(resource, plan).length > 0)
  const what =
    ready.length === 0
      ? 'Nothing is ready by itself.'
      : `${verbs[plan.direction]} ${count(ready.length, 'object')}?`
  const answer = await answered(person, `${what} ${offer(ready.length > 0)}`, {
    ...(ready.length > 0 && { a: `all: ${plan.direction} what is marked - and +` }),
    s: 'select: object by object, and field by field',
    q: 'quit: change nothing',
  })
  if (answer === 'a') return new Map(ready.map(({ id }) => [id, 'all']))
  return answer === 's' ? selectFrom(open, plan, person) : undefined
}

function offer(hasReady: boolean): string {
  return hasReady ? '[a]ll, [s]elect, [q]uit, [?]' : '[s]elect, [q]uit, [?]'
}

/** The differences of an object about which somebody can decide. */
function choosable({ state, differences }: ResourcePlan, { direction }: Plan): readonly FieldDifference[] {
  if (state === 'same' || state === 'refused') return []
  if (state === 'only-local' && direction === 'pull') return []
  if (state === 'only-remote' && direction === 'push') return []
  return differences.filter(({ whose }) => whose !== 'default' && whose !== 'webhook')
}

function proposal(resource: ResourcePlan, plan: Plan): readonly FieldDifference[] {
  return choosable(resource, plan).filter((one) => proposed(plan.direction, one) === 'take')
}

async function selectFrom(
  open: readonly ResourcePlan[],
  plan: Plan,
  person: Person,
): Promise<Selection | undefined> {
  const selection = new Map<string, ResourceChoice>()
  let rest: 'ask' | 'all' | 'none' = 'ask'
  for (const [index, resource] of open.entries()) {
    if (rest !== 'ask') {
      selection.set(resource.id, rest)
      continue
    }
    person.print(`\n${showResource(resource, plan.direction, person.style)}`)
    const { choice, others } = await aboutObject(resource, plan, {
      person,
      at: `${index + 1}/${open.length}`,
    })
    if (choice === undefined) return undefined
    selection.set(resource.id, choice)
    rest = others
  }
  person.print(`${recap(selection, plan)}\n`)
  return selection
}

interface Asking {
  readonly person: Person
  /** Which one of how many. */
  readonly at: string
}

interface Answer {
  /** Undefined when the person left. */
  readonly choice: ResourceChoice | undefined
  readonly others: 'ask' | 'all' | 'none'
}

async function aboutObject(resource: ResourcePlan, plan: Plan, { person, at }: Asking): Promise<Answer> {
  const isWhole = resource.differences.some(({ path }) => path.length === 0)
  const isReady = proposal(resource, plan).length > 0
  const answers = {
    ...(isReady && { y: `yes: ${plan.direction} what is marked - and +` }),
    n: 'no: leave both sides as they are',
    ...((!isWhole || plan.direction === 'change') && { f: 'field by field', ...reverse(plan) }),
    a: 'yes to this object and all that follow',
    d: 'no to this object and all that follow',
    q: 'quit: change nothing at all',
  }
  const answer = await answered(person, `(${at}) ${verbs[plan.direction]} this object?`, answers)
  switch (answer) {
    case 'y':
      return { choice: 'all', others: 'ask' }
    case 'n':
      return { choice: 'none', others: 'ask' }
    case 'a':
      return { choice: 'all', others: 'all' }
    case 'd':
      return { choice: 'none', others: 'none' }
    case 'r':
      return { choice: each(choosable(resource, plan), 'reverse'), others: 'ask' }
    case 'f':
      return { choice: await byField(resource, plan, person), others: 'ask' }
    default:
      return { choice: undefined, others: 'ask' }
  }
}

async function byField(
  resource: ResourcePlan,
  plan: Plan,
  person: Person,
): Promise<ReadonlyMap<string, Choice> | undefined> {
  const fields = choosable(resource, plan)
  const chosen = new Map<string, Choice>()
  for (const [index, field] of fields.entries()) {
    person.print(showDifferences([field], plan.direction, person.style))
    const rest = fields.slice(index)
    // What Enter means, where something is preselected.
    const [yes, no] = field.advice === undefined ? ['y', 'n'] : field.advice.takes ? ['Y', 'n'] : ['y', 'N']
    const answer = await answered(
      person,
      `(${index + 1}/${fields.length}) ${verbs[plan.direction]} this field?`,
      {
        [yes]: `yes: ${plan.direction} it`,
        [no]: 'no: leave both sides as they are',
        ...reverse(plan),
        a: 'yes to this field and the rest of this object',
        d: 'no to this field and the rest of this object',
        q: 'quit: change nothing at all',
      },
    )
    if (answer === undefined || answer === 'q') return undefined
    if (answer === 'a' || answer === 'd') {
      return new Map([...chosen, ...each(rest, answer === 'a' ? 'take' : 'leave')])
    }
    chosen.set(field.id, answer === 'y' ? 'take' : answer === 'r' ? 'reverse' : 'leave')
  }
  return chosen
}

function each(differences: readonly FieldDifference[], choice: Choice): ReadonlyMap<string, Choice> {
  return new Map(differences.map(({ id }) => [id, choice]))
}

const verbs = { push: 'Push', pull: 'Pull', change: 'Change' } as const

/** A change has no other way round. */
function reverse({ direction }: Plan): Readonly<Record<string, string>> {
  if (direction === 'change') return {}
  const [kept, other] = direction === 'push' ? ['cluster', 'file'] : ['file', 'cluster']
  return { r: `the other way round: keep the ${kept}'s, in the ${other} too` }
}

/** What a selection comes to: `1 object and 2 fields go to the cluster, 1 field to a file; 3 stay as they are`. */
export function recap(selection: Selection, plan: Plan): string {
  const tally = { take: 0, reverse: 0, leave: 0 }
  for (const resource of plan.resources) {
    for (const difference of choosable(resource, plan)) {
      const standing = { direction: plan.direction, resource: resource.id, difference }
      tally[choiceOf(selection, standing)] += 1
    }
  }
  if (plan.direction === 'change')
    return `${count(tally.take, 'change')} to be made; ${tally.leave} left alone`
  const ways = ['to the cluster', 'to files']
  const [taken, reversed] = plan.direction === 'push' ? ways : ways.reverse()
  return printable(
    `${count(tally.take, 'change')} ${taken}, ${tally.reverse} ${reversed}; ${tally.leave} left alone`,
  )
}
