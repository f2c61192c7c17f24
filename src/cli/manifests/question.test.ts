import { describe, expect, test } from 'vitest'
import type { Direction, FieldDifference, Plan, ResourcePlan, Whose } from '../../manifests/plan/plan.ts'
import { choose, recap } from './question.ts'

function field(id: string, whose: Whose): FieldDifference {
  const values = { base: 0, local: 1, remote: 2 }
  return { id, path: ['spec', id], ...values, whose, isHeld: false, isSecret: false }
}

function object(name: string, differences: readonly FieldDifference[]): ResourcePlan {
  return {
    id: `Deployment.apps shop/${name}`,
    ref: { apiVersion: 'apps/v1', group: 'apps', kind: 'Deployment', namespace: 'shop', name },
    place: { file: `${name}.yaml` },
    state: differences.length === 0 ? 'same' : 'changed',
    differences,
    notes: [],
  }
}

function planOf(direction: Direction, ...resources: readonly ResourcePlan[]): Plan {
  const cluster = { context: 'dev', server: 'https://localhost:6443', namespace: 'shop' }
  return { direction, cluster, root: '/folder', resources, remarks: [], leftOut: [], problems: [] }
}

const web = object('web', [field('image', 'yours'), field('replicas', 'theirs'), field('port', 'both')])
const api = object('api', [field('image', 'yours')])
const push = planOf('push', web, object('same', []), api)

/** Answers one after the other, and then leaves. */
async function answering(plan: Plan, ...answers: readonly string[]) {
  const left = [...answers]
  const said: string[] = []
  const selection = await choose(plan, {
    ask: async (question) => {
      said.push(question)
      return left.shift()
    },
    print: (text) => said.push(text),
    style: (_format, text) => text,
  })
  return { selection, said: said.join('\n'), unused: left.length }
}

describe('a promotion', () => {
  const advised = (id: string, takes: boolean) => ({
    ...field(id, 'yours'),
    advice: { takes, reason: 'why' },
  })
  const promotion = planOf('change', object('web', [advised('image', true), advised('replicas', false)]))

  test('takes of all what is preselected, though all of it is to be had', async () => {
    const { selection, said } = await answering(promotion, 's', 'y')
    expect(selection).toEqual(new Map([[web.id, 'all']]))
    expect(said).toContain('1 change to be made; 1 left alone')
    const none = planOf('change', object('web', [advised('replicas', false)]))
    expect((await answering(none, 's', 'f', 'y')).selection?.get(web.id)).toEqual(
      new Map([['replicas', 'take']]),
    )
  })

  test('field by field, Enter is what is preselected, and it shows', async () => {
    const { selection, said } = await answering(promotion, 's', 'f', '', '')
    expect(selection?.get(web.id)).toEqual(
      new Map([
        ['image', 'take'],
        ['replicas', 'leave'],
      ]),
    )
    expect(said).toMatch(/field\? \[Y,n,[\s\S]*field\? \[y,N,/)
  })

  test('elsewhere Enter is no answer', async () => {
    const { unused } = await answering(push, 's', 'f', '', 'y', 'y', 'y', 'n', 'left over')
    expect(unused).toBe(1)
  })
})

describe('the question', () => {
  test.each([[''], ['q'], ['nonsense']])('answered with `%s` and no more changes nothing', async (answer) => {
    expect((await answering(push, ...(answer === '' ? [] : [answer]))).selection).toBeUndefined()
  })

  test('answered with all takes what each direction is for', async () => {
    const { selection, said } = await answering(push, 'a')
    expect(selection).toEqual(
      new Map([
        [web.id, 'all'],
        [api.id, 'all'],
      ]),
    )
    expect(said).toContain('Push 2 objects?')
  })

  test('is asked again after an answer that nobody understands, with what the answers mean', async () => {
    const { selection, said } = await answering(push, 'x', 'all')
    expect(said).toContain('s  select')
    expect(selection?.size).toBe(2)
  })

  test('does not offer all where all would be nothing', async () => {
    const { selection, said } = await answering(
      planOf('push', object('web', [field('port', 'both')])),
      'a',
      'q',
    )
    expect(selection).toBeUndefined()
    expect(said).not.toContain('[a]ll')
  })

  test('is not asked about what the server adds', async () => {
    const told = object('told', [field('protocol', 'default')])
    const { said } = await answering(planOf('push', told, api), 's', 'y')
    expect(said).toContain('(1/1)')
  })
})

describe('a selection', () => {
  test('goes object by object', async () => {
    const { selection, unused } = await answering(push, 's', 'n', 'y')
    expect(selection).toEqual(
      new Map([
        [web.id, 'none'],
        [api.id, 'all'],
      ]),
    )
    expect(unused).toBe(0)
  })

  test('goes field by field, each its way, its opposite, or not at all', async () => {
    const { selection } = await answering(push, 's', 'f', 'y', 'r', 'n', 'n')
    const chosen = new Map([
      ['image', 'take'],
      ['replicas', 'reverse'],
      ['port', 'leave'],
    ])
    expect(selection).toEqual(
      new Map<string, unknown>([
        [web.id, chosen],
        [api.id, 'none'],
      ]),
    )
  })

  test('of the other way round holds for all fields of an object', async () => {
    const { selection } = await answering(planOf('pull', web), 's', 'r')
    const chosen = new Map([
      ['image', 'reverse'],
      ['replicas', 'reverse'],
      ['port', 'reverse'],
    ])
    expect(selection).toEqual(new Map([[web.id, chosen]]))
  })

  test('may be ended for the rest, with yes or no', async () => {
    expect((await answering(push, 's', 'a')).selection?.get(api.id)).toBe('all')
    expect((await answering(push, 's', 'd')).selection?.get(api.id)).toBe('none')
    const rest = (await answering(push, 's', 'f', 'n', 'a', 'n')).selection?.get(web.id)
    expect(rest).toEqual(
      new Map([
        ['image', 'leave'],
        ['replicas', 'take'],
        ['port', 'take'],
      ]),
    )
  })

  test.each([[['s', 'y', 'q']], [['s', 'f', 'y', 'q']], [['s', 'y']]])(
    'that somebody quits changes nothing at all: %s',
    async (answers) => {
      expect((await answering(push, ...answers)).selection).toBeUndefined()
    },
  )

  test('is told in numbers at its end', async () => {
    const { selection } = await answering(push, 's', 'f', 'y', 'r', 'n', 'y')
    expect(recap(selection ?? new Map(), push)).toBe('2 changes to the cluster, 1 to files; 1 left alone')
  })
})
