import fc from 'fast-check'
import { equal, type Json, type JsonMap } from '../../value.ts'
import { parseYaml } from '../parse.ts'

const scalar = fc.oneof(
  fc.integer({ min: -1000, max: 100_000 }),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom(
    'yes',
    'on',
    '0644',
    '1_000',
    '22:22',
    '~',
    '',
    'a: b',
    '# c',
    '- d',
    ' e ',
    'f\ng\n',
    '\n',
    'h\n\n',
    '|',
    "'",
    '"',
    '\t',
    '2001-01-01',
    'ü',
    '*x',
    '&y',
    '!z',
    '%',
    '@',
    '`',
    '{',
    ']',
    ',',
  ),
  fc.string({ maxLength: 12 }),
)
const key = fc.oneof(fc.constantFrom('a', 'b', 'name', 'a.b/c', 'yes', '1', ''), fc.string({ maxLength: 6 }))
export const { value } = fc.letrec<{ value: Json; map: JsonMap }>((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, scalar, fc.array(tie('value'), { maxLength: 4 }), tie('map')),
  map: fc.dictionary(
    key.filter((name) => name !== '__proto__'),
    tie('value'),
    { maxKeys: 4, noNullPrototype: true },
  ),
}))

/** YAML in many hands: styles, margins, comments and blank lines as the numbers say. */
function write(json: Json, next: () => number, column: number, inFlow: boolean): string {
  if (typeof json !== 'object' || json === null) return writeScalar(json, next, inFlow)
  const entries = Array.isArray(json) ? json.map((v) => ['', v] as const) : Object.entries(json)
  if (entries.length === 0 || inFlow || next() % 5 === 0) {
    const inner = entries.map(
      ([k, v]) => `${Array.isArray(json) ? '' : `${JSON.stringify(k)}: `}${write(v, next, 0, true)}`,
    )
    const space = next() % 2 ? ' ' : ''
    return Array.isArray(json)
      ? `[${space}${inner.join(`,${space || ' '}`)}${space}]`
      : `{${space}${inner.join(', ')}${space}}`
  }
  const margin = ' '.repeat(column)
  const lines = entries.map(([k, v]) => {
    const before = next() % 6 === 0 ? `${margin}# note\n` : next() % 6 === 0 ? '\n' : ''
    const nested = column + 1 + (next() % 3)
    const isBlock = typeof v === 'object' && v !== null
    const text = write(v, next, isBlock ? nested : column, false)
    const isOnOwnLines = text.startsWith('\n')
    const comment = !text.includes('\n') && next() % 5 === 0 ? '  # why' : ''
    const head = Array.isArray(json) ? '-' : `${JSON.stringify(k)}:`
    return `${before}${margin}${head}${isOnOwnLines ? '' : ' '}${text}${comment}`
  })
  return `\n${lines.join('\n')}`
}

function writeScalar(json: null | boolean | number | string, next: () => number, inFlow: boolean): string {
  if (typeof json !== 'string') return String(json)
  if (/^[a-z]+$/.test(json) && !/^(y|n|yes|no|on|off|true|false|null)$/.test(json) && next() % 2) return json
  if (!inFlow && /^[ -~]+$/.test(json) && next() % 3 === 0) return `'${json.replaceAll("'", "''")}'`
  return JSON.stringify(json)
}

/** What a writer decides by. */
export const numbers = fc.infiniteStream(fc.nat(1000))
/** A map or a list. */
export const document: fc.Arbitrary<Json> = value.filter((json) => typeof json === 'object' && json !== null)

/** A value as somebody's text; it is the text's value. */
export function written(json: Json, next: () => number): string {
  const text = `${write(json, next, 0, false).replace(/^\n/, '')}${next() % 4 ? '\n' : ''}`
  const [parsed] = parseYaml(text)
  if (!equal(parsed?.value, json) || parsed?.problems.length) throw new Error(`not what was meant: ${text}`)
  return text
}
