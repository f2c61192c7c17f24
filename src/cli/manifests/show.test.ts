import { describe, expect, test } from 'vitest'
import type { FieldDifference, Plan, ResourcePlan } from '../../manifests/plan/plan.ts'
import { showSummary } from './remarks.ts'
import { showDifferences, showPlan } from './show.ts'

const plain = (_format: unknown, text: string) => text

const image: FieldDifference = {
  id: 'spec.image',
  path: ['spec', 'image'],
  base: 'a:1',
  local: 'a:2',
  remote: 'a:1',
  whose: 'yours',
  isHeld: false,
  isSecret: false,
}

const resource: ResourcePlan = {
  id: 'Deployment.apps shop/web',
  ref: { apiVersion: 'apps/v1', group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' },
  place: { file: 'shop/web.yaml' },
  state: 'changed',
  differences: [image],
  notes: [],
}

const plan: Plan = {
  direction: 'push',
  cluster: { context: 'dev', server: 'https://localhost:6443', namespace: 'shop' },
  root: '/folder',
  resources: [resource, { ...resource, id: 'Service shop/web', state: 'same', differences: [] }],
  remarks: [],
  leftOut: [],
  problems: [],
}

function shown(differences: readonly FieldDifference[]): string {
  return showPlan({ ...plan, resources: [{ ...resource, differences }] }, plain)
}

describe('a plan as text', () => {
  test('begins with where it is about', () => {
    expect(showPlan(plan, plain).split('\n')[0]).toMatch(/dev .*https:\/\/localhost:6443 .*shop/)
  })

  test('tells both values and whose the difference is, and nothing of what is the same', () => {
    const text = showPlan(plan, plain)
    expect(text).toContain('Deployment.apps shop/web  (shop/web.yaml)')
    expect(text).toContain('  - image: a:1  # yours\n  +   image: a:2\n'.replace('  - ', '  -   '))
    expect(text).not.toContain('Service shop/web')
    expect(showSummary(plan)).toBe('1 changed, 1 the same')
  })

  test('shows the other way round for a pull', () => {
    const theirs = { ...image, local: 'a:1', remote: 'a:2', base: 'a:1', whose: 'theirs' as const }
    expect(showDifferences([theirs], 'pull', plain)).toContain('-   image: a:1  # theirs\n  +   image: a:2')
  })

  test('does not mark what stays as it is as if it went', () => {
    const text = shown([{ ...image, whose: 'theirs', manager: 'hpa', local: 2, remote: 5 }])
    expect(text).toContain('~   image: 2  # file\n  ~   image: 5  # cluster; theirs (hpa)')
    expect(text).not.toMatch(/^ {2}[-+]/m)
  })

  test('names the manager that holds a field', () => {
    expect(shown([{ ...image, manager: 'helm', isHeld: true }])).toContain('yours, held by helm')
  })

  test('of a promotion, says of both places what is there, and why it goes or stays', () => {
    const field = (takes: boolean, more = {}): FieldDifference => ({
      ...{ ...image, local: 'a:1', wanted: { value: 'a:2' }, advice: { takes, reason: 'the reason' } },
      ...more,
    })
    const text = (one: FieldDifference) => showDifferences([one], 'change', plain)
    expect(text(field(true))).toContain('-   image: a:1  # the reason\n  +   image: a:2\n')
    expect(text(field(false))).toContain('~   image: a:1  # the reason\n  ~   image: a:2  # the source\n')
    expect(text(field(false, { local: 'a:9' }))).toContain(
      '~   image: a:9  # file; the reason\n  ~   image: a:1  # cluster\n  ~   image: a:2  # the source\n',
    )
    const absent = { local: undefined, remote: undefined }
    expect(text(field(false, absent))).toContain('~   image: a:2  # the source; the reason\n')
    expect(text(field(true, { wanted: { value: undefined } }))).toContain('-   image: a:1  # the reason\n')
  })

  test('of a promotion, what is only offered is one line', () => {
    const value = { kind: 'ConfigMap' }
    const whole = { ...image, path: [], local: undefined, remote: undefined, wanted: { value } }
    const offered = { ...whole, advice: { takes: false, reason: '' } }
    const between = ['a', 'b'] as const
    const said = showPlan(
      {
        ...plan,
        between,
        direction: 'change',
        resources: [{ ...resource, state: 'only-local', differences: [offered] }],
      },
      plain,
    )
    expect(said).toMatch(/^from a\nto {3}b\n/)
    expect(said).toMatch(/only in the source: name it to create it\n$/)
  })

  test('shows a whole object that will be created', () => {
    const whole = { ...image, path: [], base: undefined, local: { kind: 'ConfigMap' }, remote: undefined }
    expect(shown([whole])).toContain('+ kind: ConfigMap  # yours')
  })

  test('shows no secret, and nothing that steers a terminal', () => {
    const secret = { kind: 'Secret', data: { password: 'hunter3' } }
    const text = [
      shown([{ ...image, local: 'hunter2', remote: 'hunter1', isSecret: true }]),
      shown([{ ...image, path: [], local: secret, remote: undefined, isSecret: true }]),
      shown([{ ...image, path: ['a\u001b[2J'], local: '\u009b31m', remote: undefined }]),
      shown([{ ...image, local: 'one\n\u001b[2Jtwo\n', remote: 'one\ntwo\n' }]),
    ].join('')
    expect(text).not.toContain('hunter')
    expect(text).toContain('password: (hidden)')
    expect(text).not.toContain('\u001b')
    expect(text).not.toContain('\u009b')
  })
})
