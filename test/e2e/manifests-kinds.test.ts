import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { KubernetesObject } from '@kubernetes/client-node'
import { expect, test } from 'vitest'
import { cluster, parseObjects, useLab } from './support/cluster.ts'
import { useLaptop } from './support/ksync.ts'
import { Checkout, createByHand } from './support/manifests.ts'
import { until } from './support/until.ts'

const kinds = parseObjects(
  readFileSync(fileURLToPath(new URL('fixtures/kinds.yaml', import.meta.url)), 'utf8'),
)
const [one, other] = [useLab('kinds'), useLab('again')]
const laptop = useLaptop()

/** Which version each object is at. */
async function versions(objects: readonly KubernetesObject[]): Promise<string> {
  const read = objects.map(async ({ apiVersion = '', kind = '', metadata }) => {
    const named = { name: metadata?.name ?? '', namespace: one.namespace }
    const { metadata: now } = await cluster.objects.read({ apiVersion, kind, metadata: named })
    return [kind, now?.name, now?.resourceVersion, now?.generation]
  })
  return JSON.stringify(await Promise.all(read))
}

/** The versions once controllers are done with it. */
async function settledVersions(objects: readonly KubernetesObject[]): Promise<string> {
  let last = ''
  return until('controllers are done', () => versions(objects), {
    every: 1000,
    holds: (now) => {
      const isSettled = now === last
      last = now
      return isSettled
    },
  })
}

test('a namespace with each kind that people write comes into files and goes back without a change', async () => {
  const made: KubernetesObject[] = []
  for (const object of kinds) if (await createByHand(object, one.namespace)) made.push(object)
  const before = await settledVersions(made)
  const first = new Checkout(laptop, { name: 'first', namespace: one.namespace })

  expect(await first.did('pull', '-f')).toContain('left out')
  expect(Object.keys(first.files())).toHaveLength(made.length)
  expect(await first.did('diff')).toContain(`${made.length} the same`)
  await first.did('push', '-f')
  expect(await versions(made)).toBe(before)

  // What was pulled is all it takes to make the same again.
  const renamed = (text: string) => text.replaceAll(one.namespace, other.namespace)
  const second = new Checkout(laptop, { name: 'second', namespace: other.namespace })
  for (const [path, text] of Object.entries(first.files())) second.write(renamed(path), renamed(text))
  await second.did('push', '-f', '--no-wait')
  const third = new Checkout(laptop, { name: 'third', namespace: other.namespace })
  await third.did('pull', '-f')
  const expected = Object.entries(first.files()).map(([path, text]) => [renamed(path), renamed(text)])
  expect(third.files()).toEqual(Object.fromEntries(expected))
})
