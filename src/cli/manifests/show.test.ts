import { describe, expect, test } from 'vitest'
import type { FieldDifference, Plan, ResourcePlan } from '../../manifests/plan/plan.ts'
import { showPlan, showSummary } from './show.ts'

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
    expect(text).toContain('spec.image  yours')
    expect(text).toMatch(/cluster "a:1"\n.*file {4}"a:2"/)
    expect(text).not.toContain('Service shop/web')
    expect(showSummary(plan)).toBe('1 changed, 1 the same')
  })

  test('names the manager that holds a field', () => {
    expect(shown([{ ...image, manager: 'helm', isHeld: true }])).toContain('yours, held by helm')
    expect(shown([{ ...image, whose: 'theirs', manager: 'hpa' }])).toContain('theirs (hpa)')
  })

  test('shows no secret, and nothing that steers a terminal', () => {
    const text = shown([
      { ...image, local: 'hunter2', remote: 'hunter1', isSecret: true },
      { ...image, path: ['a\u001b[2J'], local: '\u009b31m', remote: undefined },
    ])
    expect(text).not.toContain('hunter')
    expect(text).not.toContain('\u001b')
    expect(text).not.toContain('\u009b')
  })
})
