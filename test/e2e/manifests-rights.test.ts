import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { cluster, useLab } from './support/cluster.ts'
import { Laptop, useLaptop } from './support/ksync.ts'
import { Checkout, createByHand, live } from './support/manifests.ts'
import { testWith } from './support/place.ts'

const [mine, theirs] = [useLab('may'), useLab('may-not')]
const admin = useLaptop()

/** A laptop of somebody who has some rights on ConfigMaps and Deployments of one namespace, and no others. */
async function laptopOf(name: string, verbs: string[]): Promise<Laptop> {
  const { namespace } = mine
  const metadata = { name, namespace }
  const rules = [{ apiGroups: ['', 'apps'], resources: ['configmaps', 'deployments'], verbs }]
  const api = { apiVersion: 'rbac.authorization.k8s.io/v1' }
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name }
  await cluster.objects.create({ ...api, kind: 'Role', metadata, ...{ rules } })
  const subjects = [{ kind: 'User', name, apiGroup: 'rbac.authorization.k8s.io' }]
  await cluster.objects.create({ ...api, kind: 'RoleBinding', metadata, ...{ roleRef, subjects } })
  const config = JSON.parse(cluster.config.exportConfig())
  const users = config.users.map((one: { user: object }) => ({ ...one, user: { ...one.user, as: name } }))
  const path = join(admin.home, name)
  writeFileSync(path, JSON.stringify({ ...config, users }))
  return new Laptop(path)
}

const text = (name: string, namespace: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n  namespace: ${namespace}\ndata: {a: "1"}\n`

testWith('rights')(
  'of two namespaces the one in which somebody may write is pushed, the other is named',
  async () => {
    const laptop = await laptopOf('half', ['get', 'list', 'create', 'patch', 'update'])
    const here = new Checkout(laptop, { name: 'half', namespace: mine.namespace })
    here.write('mine.yaml', text('half', mine.namespace))
    here.write('theirs.yaml', text('half', theirs.namespace))
    const { code, stdout, stderr } = await here.ksync('push', '-f')
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(
        new RegExp(`${theirs.namespace}/half.*refused[\\s\\S]*cannot be read in the cluster: .*forbidden`),
      ),
    ])
    expect(stderr).toContain(`${mine.namespace}/half created`)
    expect(await live('ConfigMap', 'half', theirs.namespace)).toBeUndefined()
    expect(await live('ConfigMap', 'half', mine.namespace)).toBeDefined()
    const pulled = new Checkout(laptop, { name: 'half-pulled', namespace: mine.namespace })
    const pull = await pulled.ksync('pull', '-f')
    expect([pull.code, pull.stderr]).toEqual([1, expect.stringMatching(/secrets.*: not listed: you may not/)])
    expect(Object.keys(pulled.files()).join()).toContain('half')
    await laptop.remove()
  },
)

testWith('rights')('who may only read pulls without a dry run, and is told what that means', async () => {
  const laptop = await laptopOf('reader', ['get', 'list'])
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'a:1' }] } }
  const spec = { replicas: 0, selector: { matchLabels: { a: 'b' } }, template }
  const web = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, ...{ spec } }
  await createByHand(web, mine.namespace)
  const here = new Checkout(laptop, { name: 'reader', namespace: mine.namespace })
  expect(await here.did('pull', 'deploy/web', '-o', 'web', '-f')).toMatch(
    /defaults of apps\/v1 Deployment: the server may not be asked/,
  )
  expect(here.read('web.yaml')).not.toMatch(/terminationGracePeriodSeconds|restartPolicy/)
  expect(await here.did('diff')).toContain('1 the same')
  here.edit('web.yaml', 'a:1', 'a:2')
  const { code, stdout, stderr } = await here.ksync('push', '-f')
  expect([code, stdout + stderr]).toEqual([
    1,
    expect.stringMatching(/not validated by the server[\s\S]*web failed: .*forbidden/),
  ])
  await laptop.remove()
})
