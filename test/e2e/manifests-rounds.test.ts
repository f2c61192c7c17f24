import { expect, test } from 'vitest'
import { useLab } from './support/cluster.ts'
import { useLaptop } from './support/ksync.ts'
import { Checkout, live, patch } from './support/manifests.ts'

const { namespace } = useLab('rounds')
const laptop = useLaptop()

const rounds = 100

/** As people write them: each in another style, with comments wherever they may be. `<key>` stands for its value. */
const folder = {
  'app/all.yaml': `# The shop.
---
apiVersion: v1
kind: ConfigMap
metadata: {name: block} # kept
data:
    # first of all
    block.a:   "<block.a>"   # quoted, with room

    block.b: '<block.b>'
    block.c: <block.c> # plain
    block.d: |
        # no comment, but text
        it is <block.d>

        and so on

---
# flows
apiVersion: v1
kind: ConfigMap
metadata:
  name: flow
data: {flow.a: "<flow.a>",   flow.b: "<flow.b>"}   # one line
`,
  'web.yml': `apiVersion: apps/v1\r
kind: Deployment # of Windows\r
metadata:\r
  name: web\r
spec:\r
  replicas: 0\r
  selector: {matchLabels: {app: "web"}}\r
  template:\r
    metadata:\r
      labels: {app: "web"}\r
      annotations:\r
        web.a: "<web.a>"  # of a\r
\r
        web.b:   '<web.b>'\r
    spec:\r
      containers:\r
      - {name: web, image: 'web:1'}   # no line end follows`,
  'json.json': `{ "apiVersion": "v1",   "kind": "ConfigMap",
    "metadata": { "name": "json" },
\t"data": { "json.a": "<json.a>",
      "json.b":   "<json.b>" }
}
`,
  'list.yaml': `kind: List
apiVersion: v1
items:
  # the only one
  - apiVersion: v1
    kind: ConfigMap
    metadata: {name: list}
    data:
      list.a: "<list.a>"
      list.b: "<list.b>"   # last
`,
}
const keys = [
  ...Object.values(folder)
    .join('')
    .matchAll(/<([\w.]+)>/g),
].map(([, key]) => key ?? '')

function filled(values: ReadonlyMap<string, string>): Record<string, string> {
  const fill = (text: string) => text.replace(/<([\w.]+)>/g, (_, key: string) => values.get(key) ?? '')
  return Object.fromEntries(Object.entries(folder).map(([path, text]) => [path, fill(text)]))
}

/** A key of a block scalar has the whole text as its value. */
const inCluster = (key: string, value: string) =>
  key === 'block.d' ? `# no comment, but text\nit is ${value}\n\nand so on\n` : value

async function changeInCluster(name: string, values: Record<string, string>): Promise<void> {
  const metadata = { name, namespace }
  const template = { metadata: { annotations: values } }
  if (name === 'web')
    return patch({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, ...{ spec: { template } } })
  return patch({ apiVersion: 'v1', kind: 'ConfigMap', metadata, ...{ data: values } })
}

async function valuesInCluster(): Promise<Record<string, unknown>> {
  const names = ['block', 'flow', 'json', 'list']
  const maps = await Promise.all(names.map((name) => live('ConfigMap', name, namespace)))
  const web = (await live('Deployment', 'web', namespace)) as {
    spec?: { template: { metadata: { annotations: object } } }
  }
  return Object.assign(
    { ...web.spec?.template.metadata.annotations },
    ...maps.map((map) => (map as { data?: object } | undefined)?.data),
  )
}

/** The same numbers each time, below a bound. */
function numbers(): (bound: number) => number {
  let seed = 7
  return (bound) => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % bound
  }
}

test(`${rounds} rounds of changes on both sides, and of pull or push, leave every other byte as it was`, async () => {
  const here = new Checkout(laptop, { name: 'here', namespace })
  const file = new Map(keys.map((key) => [key, 'v0']))
  const write = () => {
    for (const [path, text] of Object.entries(filled(file))) here.write(path, text)
  }
  write()
  await here.did('push', '-f', '--no-wait')
  const there = new Map(file)
  const agreed = new Map(file)
  const draw = numbers()
  for (let round = 1; round <= rounds; round += 1) {
    const theirs: Record<string, Record<string, string>> = {}
    for (const key of keys.filter(() => draw(4) === 0)) {
      const isHere = file.get(key) !== agreed.get(key)
      const isThere = there.get(key) !== agreed.get(key)
      const value = `v${round}-${draw(1000)}`
      // What one side changed and the other has not seen yet, only that side changes again.
      if (isHere || (!isThere && draw(2) === 0)) file.set(key, value)
      else {
        there.set(key, value)
        const [name = ''] = key.split('.')
        theirs[name] = { ...theirs[name], [key]: inCluster(key, value) }
      }
    }
    write()
    await Promise.all(Object.entries(theirs).map(([name, values]) => changeInCluster(name, values)))
    const way = draw(2) === 0 ? ['pull'] : ['push', '--no-wait']
    await here.did(...way, '-f')
    const [from, to] = way[0] === 'pull' ? [there, file] : [file, there]
    for (const key of keys) {
      const value = from.get(key) ?? ''
      if (value === agreed.get(key)) continue
      to.set(key, value)
      agreed.set(key, value)
    }
    expect(here.files(), `files after round ${round}: ${way[0]}`).toEqual(filled(file))
    const expected = Object.fromEntries([...there].map(([key, value]) => [key, inCluster(key, value)]))
    expect(await valuesInCluster(), `cluster after round ${round}: ${way[0]}`).toEqual(expected)
  }
})
