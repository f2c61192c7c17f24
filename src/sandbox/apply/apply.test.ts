import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ApiFailure } from '../failure.ts'
import type { KubeObject } from '../object.ts'
import { apply, recordUpdate } from './apply.ts'
import { deployment, deployments, ownersOf, widget, widgets } from './examples.ts'

const by = (manager: string, force = false) => ({ ...widgets, manager, force })

function refusal(act: () => unknown): ApiFailure {
  try {
    act()
  } catch (error) {
    if (error instanceof ApiFailure) return error
    throw error
  }
  throw new Error('it was not refused')
}

describe('applying', () => {
  test('makes an object that is owned by who applied it, but for what nobody chooses', () => {
    const made = apply(undefined, widget({ size: 1, atomic: { a: '1' }, ports: [{ port: 1 }] }), by('a'))
    expect(made.spec).toEqual({ size: 1, atomic: { a: '1' }, ports: [{ port: 1 }] })
    expect(made.metadata.managedFields).toEqual([
      {
        manager: 'a',
        operation: 'Apply',
        apiVersion: 'example.io/v1',
        time: '2026-01-01T00:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:spec': {
            'f:atomic': {},
            'f:ports': { 'k:{"port":1,"protocol":"TCP"}': { '.': {}, 'f:port': {} } },
            'f:size': {},
          },
        },
      },
    ])
  })

  test('the same value is shared', () => {
    const first = apply(undefined, widget({ size: 1 }), by('a'))
    const second = apply(first, widget({ size: 1 }), by('b'))
    expect(ownersOf(second)).toEqual({
      'a Apply': { 'f:spec': { 'f:size': {} } },
      'b Apply': { 'f:spec': { 'f:size': {} } },
    })
  })

  test('another value is a conflict with its owner', () => {
    const live = apply(undefined, widget({ size: 1 }), by('a'))
    const refused = refusal(() => apply(live, widget({ size: 2 }), by('b')))
    expect(refused).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "a": .spec.size',
      details: {
        causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "a"', field: '.spec.size' }],
      },
    })
  })

  test('several conflicts are told by manager; updates with their version and subresource', () => {
    const created = recordUpdate(
      undefined,
      widget({ size: 1, granular: { a: '1' }, ports: [{ port: 1, note: 'x' }] }),
      {
        ...widgets,
        manager: 'kubectl',
      },
    )
    const live = apply(created, widget({ tags: ['x'], atomic: { a: '1' } }), by('z'))
    const wanted = { size: 2, granular: { a: '2' }, atomic: {}, ports: [{ port: 1, note: 'y' }] }
    expect(refusal(() => apply(live, widget(wanted), by('b'))).message).toBe(
      [
        'Apply failed with 4 conflicts: conflicts with "kubectl" using example.io/v1:',
        '- .spec.size',
        '- .spec.granular.a',
        '- .spec.ports[port=1,protocol="TCP"].note',
        'conflicts with "z":',
        '- .spec.atomic',
      ].join('\n'),
    )
  })

  test('force takes what is in conflict from its owner', () => {
    const live = apply(undefined, widget({ size: 1, granular: { a: '1' } }), by('a'))
    const forced = apply(live, widget({ size: 2 }), by('b', true))
    expect(forced.spec).toEqual({ size: 2, granular: { a: '1' } })
    expect(ownersOf(forced)).toEqual({
      'a Apply': { 'f:spec': { 'f:granular': { 'f:a': {} } } },
      'b Apply': { 'f:spec': { 'f:size': {} } },
    })
  })

  test('what a manager does not apply any more goes', () => {
    const live = apply(
      undefined,
      widget({ size: 1, granular: { a: '1', b: '1' }, tags: ['x', 'y'] }),
      by('a'),
    )
    expect(apply(live, widget({ granular: { b: '1' }, tags: ['y'] }), by('a')).spec).toEqual({
      granular: { b: '1' },
      tags: ['y'],
    })
  })

  test('what somebody else owns too, or put into it, stays', () => {
    const mine = apply(undefined, widget({ size: 1, granular: { a: '1' } }), by('a'))
    const shared = apply(mine, widget({ size: 1 }), by('b'))
    const more = widget({ size: 1, granular: { a: '1', b: '1' } })
    const inside = recordUpdate(shared, more, { ...widgets, manager: 'c' })
    expect(apply(inside, widget({}), by('a')).spec).toEqual({ size: 1, granular: { b: '1' } })
  })

  test('the status is not written with the object, and nothing but the status with the status', () => {
    const whole = { ...widget({ size: 1 }), status: { phase: 'Ready' } }
    expect(ownersOf(apply(undefined, whole, by('a')))).toEqual({ 'a Apply': { 'f:spec': { 'f:size': {} } } })
    const live = apply(undefined, widget({ size: 1 }), by('a'))
    expect(ownersOf(apply(live, whole, { ...by('b'), subresource: 'status' }))).toEqual({
      'a Apply': { 'f:spec': { 'f:size': {} } },
      'b Apply status': { 'f:status': { 'f:phase': {} } },
    })
    expect(ownersOf(apply(undefined, whole, { ...by('a'), custom: { hasStatus: false } }))).toEqual({
      'a Apply': { 'f:spec': { 'f:size': {} }, 'f:status': { 'f:phase': {} } },
    })
  })

  test('an object that nobody managed belongs to whoever was before', () => {
    const unmanaged = widget({ size: 1 }, { uid: '1' })
    expect(refusal(() => apply(unmanaged, widget({ size: 2 }), by('a'))).message).toBe(
      'Apply failed with 1 conflict: conflict with "before-first-apply" using example.io/v1: .spec.size',
    )
    expect(ownersOf(apply(unmanaged, widget({ size: 1 }), by('a')))).toEqual({
      'a Apply': { 'f:spec': { 'f:size': {} } },
      'before-first-apply Update': { 'f:spec': { '.': {}, 'f:size': {} } },
    })
  })

  test.each([
    [{ size: 'x' }, '.spec.size: expected numeric (int or float), got string'],
    [{ other: 1 }, '.spec.other: field not declared in schema'],
    [{ ports: [{ port: 1 }, { port: 1 }] }, '.spec.ports: duplicate entries for key [port=1,protocol="TCP"]'],
    [{ tags: ['a', 'a'] }, '.spec.tags: duplicate entries for key [="a"]'],
    [{ tags: 'a' }, '.spec.tags: expected list, got &{a}'],
    [{ granular: { a: 1 } }, '.spec.granular.a: expected string, got &value.valueUnstructured{Value:1}'],
  ])('%j cannot be applied', (spec, why) => {
    expect(refusal(() => apply(undefined, widget(spec), by('a')))).toMatchObject({
      code: 500,
      message: `failed to create typed patch object (/w; example.io/v1, Kind=Widget): ${why}`,
    })
  })

  test('managed fields cannot be applied, and nothing in another version', () => {
    const managed = widget({}, { managedFields: [] })
    expect(refusal(() => apply(undefined, managed, by('a')))).toMatchObject({
      code: 400,
      message: 'metadata.managedFields must be nil',
    })
    const other = { ...widget({}), apiVersion: 'example.io/v2' }
    expect(refusal(() => apply(undefined, other, by('a')))).toMatchObject({
      code: 400,
      message:
        'Incorrect version specified in apply patch. Specified patch version: example.io/v2, expected: example.io/v1',
    })
  })
})

describe('an update', () => {
  const update = (live: KubeObject | undefined, object: KubeObject, manager: string) =>
    recordUpdate(live, object, { ...widgets, manager })

  test('owns what it changes, takes it from others and gives up what it removes', () => {
    const live = apply(undefined, widget({ size: 1, granular: { a: '1', b: '1' } }), by('a'))
    const changed = update(live, widget({ size: 2, granular: { a: '1' } }), 'b')
    expect(ownersOf(changed)).toEqual({
      'a Apply': { 'f:spec': { 'f:granular': { 'f:a': {} } } },
      'b Update': { 'f:spec': { 'f:size': {} } },
    })
  })

  test('adds to what its manager owned before, with the time of the change', () => {
    const made = update(undefined, widget({ size: 1 }), 'a')
    const later = { ...widgets, manager: 'a', time: '2026-01-02T00:00:00Z' }
    const changed = recordUpdate(made, widget({ size: 1, tags: ['x'] }), later)
    expect(changed.metadata.managedFields).toMatchObject([
      {
        time: '2026-01-02T00:00:00Z',
        fieldsV1: { 'f:spec': { '.': {}, 'f:size': {}, 'f:tags': { '.': {}, 'v:"x"': {} } } },
      },
    ])
  })

  test('that changes nothing leaves the entries as they are', () => {
    const made = update(undefined, widget({ size: 1 }), 'a')
    const later = { ...widgets, manager: 'b', time: '2026-01-02T00:00:00Z' }
    expect(recordUpdate(made, widget({ size: 1 }), later)).toEqual(made)
  })

  test('does not own the structs that its kind always has', () => {
    const template = {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    }
    const made = recordUpdate(
      undefined,
      deployment({ replicas: 1, strategy: { type: 'Recreate' }, template }),
      deployments,
    )
    expect(ownersOf(made)).toEqual({
      'me Update': {
        'f:spec': {
          'f:replicas': {},
          'f:strategy': { 'f:type': {} },
          'f:template': {
            'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
            'f:spec': { 'f:containers': { 'k:{"name":"c"}': { '.': {}, 'f:name': {}, 'f:image': {} } } },
          },
        },
      },
    })
  })

  test('may edit the entries, and drop them all; one that leaves them out does not', () => {
    const made = update(undefined, widget({ size: 1 }), 'a')
    const [entry] = made.metadata.managedFields ?? []
    if (entry === undefined) throw new Error('nobody owns it')
    const edited = widget({ size: 1 }, { managedFields: [{ ...entry, manager: 'z' }] })
    expect(Object.keys(ownersOf(update(made, edited, 'b')))).toEqual(['z Update'])
    expect(ownersOf(update(made, widget({ size: 1 }, { managedFields: [] }), 'b'))).toEqual({})
    expect(Object.keys(ownersOf(update(made, widget({ size: 1 }), 'b')))).toEqual(['a Update'])
  })
})

const flags = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2'), {
  noNullPrototype: true,
})
const spec = fc.record(
  {
    size: fc.nat(2),
    tags: fc.uniqueArray(fc.constantFrom('p', 'q', 'r')),
    granular: flags,
    atomic: flags,
    ports: fc.uniqueArray(fc.record({ port: fc.nat(3), note: fc.constantFrom('n', 'm') }), {
      selector: ({ port }) => port,
    }),
  },
  { requiredKeys: [], noNullPrototype: true },
)

test('applying twice is applying once', () => {
  fc.assert(
    fc.property(spec, spec, (live, applied) => {
      const made = recordUpdate(undefined, widget(live), { ...widgets, manager: 'owner' })
      const once = apply(made, widget(applied), by('a', true))
      const later = { ...by('a', true), time: '2026-01-02T00:00:00Z' }
      expect(apply(once, widget(applied), later)).toEqual(once)
    }),
  )
})

/** What nobody set in a list or a map that is left empty is null until the object is validated. */
const set = (value: unknown) =>
  JSON.parse(
    JSON.stringify(value, (_, inner) =>
      inner === null || JSON.stringify(inner) === '{}' ? undefined : inner,
    ),
  )

const isEmpty = (value: unknown) => typeof value === 'object' && Object.keys(value ?? {}).length === 0

test('adding and then applying nothing leads back to what was', () => {
  fc.assert(
    fc.property(spec, flags, ({ granular: _, ...rest }, added) => {
      // A list or map that is empty goes with it on a real server too, although somebody else owns it.
      const live = Object.fromEntries(Object.entries(rest).filter(([, value]) => !isEmpty(value)))
      const made = recordUpdate(undefined, widget(live), { ...widgets, manager: 'owner' })
      const applied = apply(made, widget({ granular: added, free: added }), by('a'))
      const { spec: __, ...nothing } = widget({})
      expect(set(apply(applied, nothing, by('a')))).toEqual(set(made))
    }),
  )
})

test('whoever applies by force gets what was applied', () => {
  fc.assert(
    fc.property(spec, spec, (live, applied) => {
      const made = apply(undefined, widget(live), by('owner'))
      const result = apply(made, widget(applied), by('a', true)).spec
      expect(result).toMatchObject(scalars(applied))
    }),
  )
})

function scalars({ size, atomic }: { size?: number; atomic?: Record<string, string> }) {
  return { ...(size === undefined ? {} : { size }), ...(atomic === undefined ? {} : { atomic }) }
}
