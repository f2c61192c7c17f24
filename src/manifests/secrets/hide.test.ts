import { describe, expect, test } from 'vitest'
import type { Json } from '../value.ts'
import { hidden, isHidden } from './hide.ts'

const secret = {
  ...{ apiVersion: 'v1', kind: 'Secret', data: { a: 'aHVudGVyMg==' }, stringData: { b: 'hunter2' } },
  metadata: {
    name: 'db',
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"data":"hunter2"}', team: 'shop' },
  },
}
const textOf = (value: Json) => JSON.stringify(value)

describe('an object', () => {
  test('keeps the names of what a Secret holds, and none of the values', () => {
    const shown = hidden(secret)
    expect(textOf(shown)).not.toMatch(/hunter2|aHVudGVyMg/)
    expect(shown).toMatchObject({
      data: { a: '(left out)' },
      stringData: { b: '(left out)' },
      metadata: { annotations: { team: 'shop' } },
    })
    expect(isHidden(shown)).toBe(true)
  })

  test('of another kind stays as it is', () => {
    const map = { ...secret, kind: 'ConfigMap' }
    expect(hidden(map)).toBe(map)
    expect([hidden(null), isHidden(map), isHidden(null), isHidden('')]).toEqual([null, false, false, false])
  })
})

describe('a text', () => {
  test('with a Secret in it, however it is written, is kept as its objects', () => {
    const yaml = 'kind: Secret\nmetadata: {name: db}\nstringData: {a: hunter2}\napiVersion: v1\n'
    const texts = [
      yaml,
      JSON.stringify(secret),
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n${yaml}`,
      `apiVersion: v1\nkind: List\nitems:\n- ${yaml.trim().replaceAll('\n', '\n  ')}\n`,
      yaml.replace('Secret', '"Secr\\u0065t"'),
      yaml.replace('Secret', '&k Secret'),
      `${yaml}---\na: [`,
      `{{ if .a }}\n${yaml}`,
    ]
    for (const text of texts) {
      const shown = hidden(text)
      expect([text, isHidden(shown), textOf(shown).includes('hunter2')]).toEqual([text, true, false])
    }
  })

  test('without one is kept, also where it speaks of Secrets', () => {
    const text = '# Not a Secret.\nkind: ConfigMap\ndata: {kind: Secret, a: "b\\x41"}\n'
    expect(hidden(text)).toBe(text)
  })
})
