import { describe, expect, test } from 'vitest'
import { unknownShape } from '../diff/shape.ts'
import type { Facts } from '../plan/make.ts'
import type { JsonMap } from '../value.ts'
import { type Habits, propose } from './propose.ts'
import type { FieldRule } from './rule.ts'

const rule = (nature: FieldRule['nature'], path: string): FieldRule => ({
  ...{ nature, path, kind: '*', when: [], isNeeded: false, reason: `it is ${path}` },
})
const rules = [rule('bound', 'place'), rule('portable', 'image')]
const id = 'ConfigMap a/b'

interface Given {
  readonly file?: JsonMap
  readonly live?: JsonMap
  readonly manager?: string
}

function facts({ file, live, manager = 'kubesync' }: Given): Facts {
  const fieldsV1 = Object.fromEntries(Object.keys(live ?? {}).map((name) => [`f:${name}`, {}]))
  const managedFields = [{ manager, operation: 'Apply', fieldsV1 }]
  return {
    ...{ identity: { group: '', kind: 'ConfigMap', namespace: 'a', name: 'b' }, apiVersion: 'v1' },
    ...{ place: { file: 'b.yaml' }, agreed: undefined, wasPushed: false, local: file, bare: live },
    live: live && { clean: live, object: { ...live, metadata: { managedFields } } },
    shape: unknownShape,
  }
}

/** What is proposed for each field, and why. */
function said(source: JsonMap, given: Given, habits: Partial<Habits> = {}) {
  const { live } = given
  const all = { rules, picks: new Map(), isNamed: false, isOneSided: false, ...habits }
  const own = live && { clean: live, bare: live }
  const { plan } = propose({ source: { clean: source, bare: source }, own, facts: facts(given) }, all)
  return plan.differences.map((one) => [one.id, one.advice?.takes, one.advice?.reason])
}

const source = { image: 2, place: 'there', other: 2 }
const live = { image: 1, place: 'here', other: 1 }

describe('a proposal', () => {
  test('takes what is portable, and says of the rest why not', () => {
    expect(said(source, { file: live, live })).toEqual([
      ['image', true, 'portable: it is image'],
      ['place', false, 'bound: it is place'],
      ['other', false, 'unclassed: no rule knows it'],
    ])
  })

  test('is what was picked the last time', () => {
    const picks = new Map([[id, new Map(Object.entries({ image: false, place: true }))]])
    expect(said(source, { file: live, live }, { picks })).toEqual([
      ['image', false, 'portable: it is image; left before'],
      ['place', true, 'bound: it is place; picked before'],
      ['other', false, 'unclassed: no rule knows it'],
    ])
  })

  test('takes nothing from another manager, and nothing away from a file that was edited', () => {
    const [image] = said(source, { file: live, live, manager: 'argocd' })
    expect(image).toEqual(['image', false, 'held by argocd'])
    const [edited] = said(source, { file: { ...live, image: 3 }, live })
    expect(edited).toEqual(['image', false, 'the file has something else than the cluster'])
    // What the file has already is only missing in the cluster.
    expect(said(source, { file: { ...live, image: 2 }, live })[0]?.[1]).toBe(true)
  })

  test('to create an object is made of one that was named', () => {
    expect(said(source, {})[0]?.slice(0, 2)).toEqual(['', false])
    expect(said(source, {}, { isNamed: true })).toEqual([
      ['', true, 'portable: new there'],
      ['place', false, 'bound: it is place'],
    ])
  })
})
