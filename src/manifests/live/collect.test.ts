import { expect, test } from 'vitest'
import { answer, answerStatus, startServer } from '../../kube/testing/server.ts'
import { collect } from './collect.ts'

const type = {
  ...{ apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', singular: 'configmap', namespaced: true },
  ...{ shortNames: [], verbs: ['get', 'list'], subresources: [] },
}
const object = (name: string) => ({ metadata: { name, namespace: 'a', uid: name } })

/** ConfigMaps of a namespace, for whoever takes them in pages. */
async function serverOf(names: readonly string[]) {
  const server = await startServer()
  server.handle((request, response) => {
    const { searchParams } = new URL(request.url ?? '', server.url)
    const limit = Number(searchParams.get('limit'))
    if (!(limit > 0 && limit <= 500)) return answerStatus(response, 400, 'BadRequest', 'that is all at once')
    const from = Number(searchParams.get('continue') ?? 0)
    const to = from + limit
    const metadata = { resourceVersion: '1', continue: to < names.length ? String(to) : '' }
    answer(response, {
      ...{ apiVersion: 'v1', kind: 'ConfigMapList', metadata },
      items: names.slice(from, to).map(object),
    })
  })
  return server
}

const extent = { types: [type], namespace: 'a', labelSelector: undefined, included: new Set([]) }

test('thousands come in pages, and are told of while they come', async () => {
  const names = Array.from({ length: 1234 }, (_, index) => `c-${index}`)
  const server = await serverOf(names)
  const told: number[] = []
  const onProgress = (amount: number) => told.push(amount)
  const found = await collect(await server.client(), { ...extent, inFiles: new Set(), onProgress })
  expect(found.objects.map(({ metadata }) => metadata)).toEqual(names.map((name) => object(name).metadata))
  expect([found.problems, told]).toEqual([[], [500, 1000, 1234]])
  expect(server.asked).toHaveLength(3)
})

test('what comes with every namespace is counted, and taken only where somebody has it in a file', async () => {
  const client = await (await serverOf(['kube-root-ca.crt', 'mine'])).client()
  const names = async (inFiles: readonly string[]) => {
    const found = await collect(client, { ...extent, inFiles: new Set(inFiles), onProgress() {} })
    return [found.objects.length, found.leftOut.map(({ count, reason }) => `${count} ${reason}`)]
  }
  expect(await names([])).toEqual([1, ['1 the cluster makes them itself (--include cluster)']])
  expect(await names(['ConfigMap a/kube-root-ca.crt'])).toEqual([2, []])
})
