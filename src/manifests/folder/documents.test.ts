import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nameOf } from '../order/references.ts'
import { formatPath, type JsonMap } from '../value.ts'
import { parseYaml } from '../yaml/parse.ts'
import { readDocuments } from './documents.ts'
import { fileFor, recogniseLayout } from './layout.ts'
import { renderManifest } from './render.ts'

const configMap = (name: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, namespace: shop}\n`
const one = (text: string, path = 'a.yaml') => readDocuments([{ path, text }])

describe('objects in files', () => {
  test('in several documents, and in Lists', () => {
    const list = `apiVersion: v1\nkind: List\nitems:\n- ${configMap('c').trim().replaceAll('\n', '\n  ')}\n`
    const { manifests, remarks } = one(`${configMap('a')}---\n# nothing\n---\n${configMap('b')}---\n${list}`)
    expect(remarks).toEqual([])
    expect(manifests.map(({ document, at, identity }) => [document, formatPath(at), identity.name])).toEqual([
      [0, '', 'a'],
      [2, '', 'b'],
      [3, 'items[0]', 'c'],
    ])
  })

  test('what is no manifest is left alone, with the reason', () => {
    const texts = [
      'replicas: {{ .Values.replicas }}\nkind: {{ .Values.kind }}\n',
      'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n',
      `${configMap('s')}sops: {mac: x}\n`,
      'foo: bar\n',
    ]
    for (const text of texts) {
      const { manifests, remarks } = one(text)
      expect(manifests).toEqual([])
      expect(remarks).toMatchObject([{ file: 'a.yaml', isProblem: false }])
    }
  })

  test("nothing of a file with git's conflict markers is taken for anybody's, though it may be YAML", () => {
    const text = `${configMap('a')}data:\n<<<<<<< HEAD\n  a: b\n=======\n  a: c\n>>>>>>> theirs\n`
    expect(one(text)).toEqual({
      manifests: [],
      remarks: [{ file: 'a.yaml', reason: "it has git's conflict markers in it", isProblem: true, line: 5 }],
    })
  })

  test('a ConfigMap that holds a template is a manifest', () => {
    expect(one(`${configMap('a')}data:\n  t: "{{ .x }}"\n`).manifests).toHaveLength(1)
  })

  test('what is broken is told with its line, and the others go on', () => {
    const { manifests, remarks } = readDocuments([
      { path: 'bad.yaml', text: 'a: 1\nb: [\n' },
      { path: 'twice.yaml', text: 'kind: A\nkind: B\n' },
      { path: 'good.yaml', text: configMap('a') },
    ])
    expect(manifests).toHaveLength(1)
    expect(remarks).toMatchObject([
      { file: 'bad.yaml', isProblem: true, line: 2, column: 5, source: 'b: [' },
      { file: 'twice.yaml', isProblem: true, line: 2, source: 'kind: B' },
    ])
  })

  test('one object in two places is in neither, and both are told', () => {
    const { manifests, remarks } = readDocuments([
      { path: 'a.yaml', text: configMap('x') },
      { path: 'b/c.yaml', text: `${configMap('z')}---\n${configMap('x')}` },
    ])
    expect(manifests.map(({ identity }) => identity.name)).toEqual(['z'])
    expect(remarks).toMatchObject([
      { file: 'a.yaml', reason: 'ConfigMap shop/x is also in b/c.yaml', isProblem: true },
    ])
  })

  test('a name that is a path is refused', () => {
    for (const name of ['../../etc', '"a/b"', '".."']) {
      expect(one(`apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\n`)).toMatchObject({
        manifests: [],
        remarks: [{ isProblem: true }],
      })
    }
  })

  test('a bomb of aliases does not go off', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefghij'
        .split('')
        .map((c, i) => `${c}: &${c} [${`*${'abcdefghij'[i]},`.repeat(9).slice(0, -1)}]`),
    ].join('\n')
    expect(one(bomb)).toMatchObject({ manifests: [], remarks: [{ isProblem: true }] })
  })
})

describe('where new files go', () => {
  const manifest = (
    file: string,
    name: string,
    kind = 'Service',
    namespace: string | undefined = 'shop',
  ) => ({
    ...{ file, document: 0, at: [], object: {} },
    identity: { group: '', kind, namespace, name },
  })

  test('by the layout; what belongs to the whole cluster apart', () => {
    expect(fileFor('{namespace}/{kind}/{name}.yaml', manifest('', 'web').identity)).toBe(
      'shop/service/web.yaml',
    )
    const role = {
      group: 'rbac.authorization.k8s.io',
      kind: 'ClusterRole',
      namespace: undefined,
      name: 'system:x/../y',
    }
    expect(fileFor('{namespace}/{kind}/{name}.yaml', role)).toBe(
      '_cluster/clusterrole/system%3ax%2f..%2fy.yaml',
    )
  })

  test('as a folder already has it', () => {
    const all = [
      manifest('web-service.yml', 'web'),
      manifest('api-service.yml', 'api'),
      manifest('misc.yml', 'x'),
    ]
    expect(recogniseLayout(all)).toBe('{name}-{kind}.yml')
    expect(recogniseLayout([manifest('all.yaml', 'a'), manifest('all.yaml', 'b')])).toBeUndefined()
    expect(recogniseLayout([])).toBeUndefined()
  })
})

test('a new file reads back as the object, in the order of the alphabet', () => {
  const object = {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    data: { b: 'yes', a: 'x\ny\n', c: '0644' },
    metadata: { name: 'web' },
  }
  expect(renderManifest(object, 'x.yaml')).toBe(
    'apiVersion: v1\ndata:\n  a: |\n    x\n    y\n  b: "yes"\n  c: "0644"\nkind: ConfigMap\nmetadata:\n  name: web\n',
  )
  const blank = fc.stringMatching(/^[\n\r\t a:#-]{0,8}$/)
  const text = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), blank, fc.constant('<<'))
  fc.assert(
    fc.property(
      fc.dictionary(text, fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null)), {
        noNullPrototype: true,
      }),
      (data) => {
        const { ['__proto__']: _, ...rest } = data
        for (const file of ['a.yaml', 'a.json']) {
          expect(parseYaml(renderManifest({ data: rest } as JsonMap, file))[0]?.value).toEqual({ data: rest })
        }
      },
    ),
    { numRuns: 500, examples: [[{ '': ' \n' }], [{ '<<': '' }], [{ a: '\n \n' }]] },
  )
  expect(nameOf({ group: 'apps', kind: 'D', namespace: 'n', name: 'x' })).toBe('D.apps n/x')
})
