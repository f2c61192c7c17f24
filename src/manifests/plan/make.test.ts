import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { unknownShape } from '../diff/shape.ts'
import { operate } from '../operate.ts'
import { equal, isMap, type JsonMap } from '../value.ts'
import { type Facts, planResource } from './make.ts'
import { outcomeOf } from './outcome.ts'
import type { Choice } from './plan.ts'

const identity = { group: '', kind: 'ConfigMap', namespace: 'a', name: 'b' }

interface Given {
  readonly base?: JsonMap
  readonly local?: JsonMap
  readonly remote?: JsonMap
  readonly managedFields?: JsonMap[]
}

/** Both sides agreed on `base`; the cluster has a default beyond the file. */
function facts({ base, local, remote, managedFields = [] }: Given): Facts {
  const clean = remote === undefined ? undefined : { ...remote, byDefault: 1 }
  return {
    identity,
    apiVersion: 'v1',
    place: { file: 'b.yaml' },
    agreed: base === undefined ? undefined : { file: base, live: { ...base, byDefault: 1 } },
    wasPushed: false,
    local,
    live:
      clean === undefined
        ? undefined
        : { clean, object: { ...clean, metadata: { managedFields, resourceVersion: '7' } } },
    bare: remote,
    shape: unknownShape,
  }
}

const said = (given: Given) => {
  const { state, differences } = planResource(facts(given))
  return [state, ...differences.map(({ id, whose }) => `${id} ${whose}`)]
}

describe('how an object stands', () => {
  test.each<[string, Given, string[]]>([
    ['nothing changed', { base: { a: 1 }, local: { a: 1 }, remote: { a: 1 } }, ['same']],
    ['changed here', { base: { a: 1 }, local: { a: 2 }, remote: { a: 1 } }, ['changed', 'a yours']],
    ['changed there', { base: { a: 1 }, local: { a: 1 }, remote: { a: 2 } }, ['changed', 'a theirs']],
    ['changed on both sides', { base: { a: 1 }, local: { a: 2 }, remote: { a: 3 } }, ['conflict', 'a both']],
    ['changed alike', { base: { a: 1 }, local: { a: 2 }, remote: { a: 2 } }, ['same']],
    ['never agreed', { local: { a: 1 }, remote: { a: 2 } }, ['changed', 'a differs']],
    ['never agreed, and the same', { local: { a: 1 }, remote: { a: 1 } }, ['same']],
    ['new here', { local: { a: 1 } }, ['only-local', ' yours']],
    ['new there', { remote: { a: 1 } }, ['only-remote', ' theirs']],
    ['deleted there', { base: { a: 1 }, local: { a: 1 } }, ['only-local', ' theirs']],
    ['deleted there, changed here', { base: { a: 1 }, local: { a: 2 } }, ['only-local', ' both']],
    ['deleted here', { base: { a: 1 }, remote: { a: 1 } }, ['only-remote', ' yours']],
  ])('%s', (_, given, expected) => {
    expect(said(given)).toEqual(expected)
  })

  test('what another manager owns is held; what a person wrote with kubectl is not', () => {
    const by = (manager: string, operation = 'Update') => ({ manager, operation, fieldsV1: { 'f:a': {} } })
    const held = (managedFields: JsonMap[]) => {
      const given = { base: { a: 1 }, local: { a: 2 }, remote: { a: 1 }, managedFields }
      return planResource(facts(given)).differences.map(({ manager, isHeld }) => [manager, isHeld])
    }
    expect(held([by('hpa')])).toEqual([['hpa', true]])
    expect(held([by('kubectl-edit')])).toEqual([['kubectl-edit', false]])
    expect(held([by('kubectl', 'Apply')])).toEqual([['kubectl', true]])
    expect(held([by('kubesync', 'Apply')])).toEqual([[undefined, false]])
  })

  test('values of a Secret are secret', () => {
    const secret = { ...identity, kind: 'Secret' }
    const one = facts({
      base: { data: { a: 'x' } },
      local: { data: { a: 'y' } },
      remote: { data: { a: 'x' } },
    })
    expect(planResource({ ...one, identity: secret }).differences).toMatchObject([{ isSecret: true }])
  })
})

const flat = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 0, max: 3 }))

describe('whatever is chosen', () => {
  test('is carried out on its side, and what was left is told again as before', () => {
    const choices = fc.array(fc.constantFrom<Choice>('take', 'leave', 'reverse'), {
      minLength: 4,
      maxLength: 4,
    })
    const property = fc.property(flat, flat, flat, choices, (base, local, remote, chosen) => {
      const before = facts({ base, local, remote })
      const plan = planResource(before)
      const selected = new Map(
        plan.differences.map(({ id }, index) => [id, chosen[index] ?? 'leave'] as const),
      )
      const outcome = outcomeOf(before, plan, {
        direction: 'push',
        selection: new Map([[plan.id, selected]]),
      })
      const file =
        outcome.file !== undefined && 'operations' in outcome.file
          ? operate(local, outcome.file.operations)
          : local
      const cluster = outcome.apply?.object ?? remote
      if (!isMap(file)) throw new Error('a file holds a map')
      for (const { id, local: mine, remote: theirs } of plan.differences) {
        const choice = selected.get(id)
        expect(cluster[id]).toBe(choice === 'take' ? mine : theirs)
        expect(file[id]).toBe(choice === 'reverse' ? theirs : mine)
      }
      const agreed = outcome.agreed({ ...cluster, byDefault: 1 })
      const after = facts({ base, local: file, remote: cluster })
      const again = planResource({ ...after, agreed })
      const left = plan.differences.filter(({ id }) => selected.get(id) === 'leave')
      expect(equal(again.differences.map(({ id }) => id).sort(), left.map(({ id }) => id).sort())).toBe(true)
      for (const one of again.differences) {
        expect(one.whose).toBe(left.find(({ id }) => id === one.id)?.whose)
      }
    })
    fc.assert(property, { numRuns: 500 })
  })
})
