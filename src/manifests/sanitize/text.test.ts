import { expect, test } from 'vitest'
import { readDocuments } from '../folder/documents.ts'
import { builtinRules } from './rules.ts'
import { sanitize } from './sanitize.ts'
import { withoutRemoved } from './text.ts'

function cleaned(text: string, { file = 'a.yaml', sorts = false } = {}): string {
  const { manifests } = readDocuments([{ path: file, text }])
  const all = manifests.map((manifest) => ({ manifest, ...sanitize(manifest.object, builtinRules) }))
  return withoutRemoved(text, all, { file, sorts })
}

const head = '# of a\nkind: ConfigMap\napiVersion: v1\nmetadata:\n  name: a # its name\n'

test('only what was removed is missing; a map that holds nothing else goes with it', () => {
  const annotations = '  annotations:\n    deployment.kubernetes.io/revision: "1"\n'
  expect(cleaned(`${head}${annotations}  uid: x\ndata: {"b": '1'}\nstatus: {}`)).toBe(
    `${head}data: {"b": '1'}\n`,
  )
})

test('documents stay apart; what is no object is not among them', () => {
  expect(
    cleaned(
      `${head}---\nno: object\n---\n# two\napiVersion: v1\nkind: Secret\nmetadata: {name: s, uid: u}\n...\n`,
    ),
  ).toBe(`${head}---\n# two\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\n`)
})

test("a List becomes its objects, JSON stays JSON, each in the order that it had or in kubectl's", () => {
  const item = '{"kind": "Secret", "apiVersion": "v1", "metadata": {"uid": "u", "name": "s"}}'
  const list = `{"apiVersion": "v1", "kind": "List", "items": [${item}, ${item.replace('"s"', '"t"')}]}`
  expect(cleaned(list)).toBe(
    ['s', 't'].map((name) => `kind: Secret\napiVersion: v1\nmetadata:\n  name: ${name}\n`).join('---\n'),
  )
  expect(cleaned(item, { file: 'a.json', sorts: true })).toBe(
    '{\n  "apiVersion": "v1",\n  "kind": "Secret",\n  "metadata": {\n    "name": "s"\n  }\n}\n',
  )
})
