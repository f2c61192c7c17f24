import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'vitest'
import { cluster, useLab } from './support/cluster.ts'
import { useLaptop } from './support/ksync.ts'
import { Checkout, createByHand, patch } from './support/manifests.ts'
import { testWith } from './support/place.ts'

const { namespace } = useLab('spoilt')
const laptop = useLaptop()

const config = (name: string, a: string) => ({
  ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { a } },
})
const text = (name: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  a: "1" # kept\n`

testWith('aggregation')('an aggregated API that is down is named, and all else is pulled', async () => {
  const here = new Checkout(laptop, { name: 'aggregated', namespace })
  await createByHand(config('fine', '1'), namespace)
  const group = `${namespace}.example.com`
  const service = {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: `v1.${group}` },
    ...{
      spec: {
        ...{
          group,
          version: 'v1',
          groupPriorityMinimum: 10,
          versionPriority: 10,
          insecureSkipTLSVerify: true,
        },
        service: { name: 'nowhere', namespace },
      },
    },
  }
  await cluster.objects.create(service)
  try {
    const { code, stderr } = await here.ksync('pull', '-f')
    expect([code, stderr]).toEqual([1, expect.stringContaining(`${group}/v1: not looked at`)])
    expect(Object.values(here.files()).join('')).toContain('name: fine')
  } finally {
    await cluster.objects.delete(service)
  }
})

testWith('mounts')(
  'a file that cannot be written is named and left whole, and the others are written',
  async () => {
    const here = new Checkout(laptop, { name: 'readonly', namespace })
    here.write('open.yaml', text('open'))
    here.write('closed/closed.yaml', text('closed'))
    await here.did('push', '-f')
    const folder = join(here.folder, 'closed')
    for (const how of [['--bind'], ['-o', 'remount,bind,ro']]) spawnSync('mount', [...how, folder, folder])
    try {
      for (const name of ['open', 'closed']) await patch(config(name, '2'))
      const { code, stderr } = await here.ksync('pull', '-f')
      expect([code, stderr]).toEqual([1, expect.stringMatching(/\/closed failed: it cannot be written/)])
      expect(here.files()).toEqual({
        'closed/closed.yaml': text('closed'),
        'open.yaml': text('open').replace('"1"', '"2"'),
      })
    } finally {
      spawnSync('umount', [folder])
    }
    // Nothing was taken for pulled that was not.
    await here.did('pull', '-f')
    expect(here.read('closed/closed.yaml')).toBe(text('closed').replace('"1"', '"2"'))
  },
)
