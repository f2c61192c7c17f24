import { describe, expect, test } from 'vitest'
import { type Field, hunk } from './hunk.ts'

const item = (keys: Record<string, string | number>) => ({ by: 'keys' as const, keys })

function text(fields: readonly Field[]): string {
  return hunk(fields)
    .map(({ sign, text: line, remark }) => `${sign} ${line}${remark === undefined ? '' : ` # ${remark}`}`)
    .join('\n')
}

function changed(path: Field['path'], before: unknown, after: unknown): Field {
  const value = (it: unknown) => it as Field['sides'][number]['value']
  return {
    path,
    sides: [
      { sign: '-', value: value(before) },
      { sign: '+', value: value(after) },
    ],
  } as Field
}

describe('differences as lines of YAML', () => {
  test('stand below what leads to them, which is written once', () => {
    const container = ['spec', 'containers', item({ name: 'web' })]
    const fields = [
      changed(['spec', 'replicas'], 2, 3),
      changed([...container, 'image'], 'web:1', 'web:2'),
      changed(
        [...container, 'ports', item({ containerPort: 80, protocol: 'TCP' }), 'name'],
        undefined,
        'http',
      ),
    ]
    expect(text(fields)).toBe(
      [
        '  spec:',
        '-   replicas: 2',
        '+   replicas: 3',
        '    containers:',
        '      - name: web',
        '-       image: web:1',
        '+       image: web:2',
        '        ports:',
        '          - containerPort: 80',
        '            protocol: TCP',
        '+           name: http',
      ].join('\n'),
    )
  })

  test('are whole items and whole maps where those came or went', () => {
    const fields = [
      changed(['env', item({ name: 'A' })], undefined, { name: 'A', value: 'yes' }),
      changed(['labels'], { a: 'b', c: 'd' }, undefined),
    ]
    expect(text(fields)).toBe(
      ['  env:', '+   - name: A', '+     value: "yes"', '- labels:', '-   a: b', '-   c: d'].join('\n'),
    )
  })

  test('are the lines that differ, of texts of several lines', () => {
    const before = Array.from({ length: 20 }, (_, line) => `line ${line}\n`).join('')
    const after = before.replace('line 10\n', 'line ten\n')
    expect(text([changed(['data', 'app.conf'], before, after)])).toBe(
      [
        '  data:',
        '    app.conf: |',
        '      …',
        '      line 8',
        '      line 9',
        '-     line 10',
        '+     line ten',
        '      line 11',
        '      line 12',
      ].join('\n'),
    )
  })

  test('are told in a word where two texts have too little in common, or are too long, to be compared', () => {
    const long = (seed: number) => Array.from({ length: 40_000 }, (_, line) => `${line * seed}\n`).join('')
    expect(text([changed(['data', 'a'], long(3), long(7))])).toMatch(
      /\+ +\(\d+,\d+ characters become \d+,\d+\)/,
    )
  })

  test('are cut short where one value has very many lines', () => {
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`key${index}`, index]))
    const lines = text([changed(['data'], undefined, many)]).split('\n')
    expect(lines.length).toBeLessThan(500)
    expect(lines.at(-1)).toMatch(/… 600 more lines/)
  })
})
