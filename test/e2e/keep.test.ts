import { execFileSync } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { useLab } from './support/cluster.ts'
import { Laptop } from './support/ksync.ts'
import { Checkout, createByHand, live, patch } from './support/manifests.ts'
import { until } from './support/until.ts'

const { namespace } = useLab('keep')
let laptop: Laptop
let here: Checkout
let times = 0

beforeEach(() => {
  times += 1
  laptop = new Laptop()
  here = new Checkout(laptop, { name: `shop${times}`, namespace })
})
afterEach(() => laptop.remove())

const config = (name: string, value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata:\n  k: "${value}"  # kept\n`

interface Status {
  readonly state: string
  readonly writes: { readonly files: number; readonly cluster: number }
  readonly left: readonly { readonly field: string; readonly reason: string }[]
}

async function statusOf(whose: Laptop): Promise<Status | undefined> {
  const views = JSON.parse(await whose.did('get', '-o', 'json')) as { kind: string; status?: Status }[]
  return views.find(({ kind }) => kind === 'manifests')?.status
}

const stands = (whose: Laptop, what: string, holds: (status: Status) => boolean) =>
  until(what, () => statusOf(whose), { holds: (status) => status !== undefined && holds(status) })

const inStep = (whose: Laptop, cluster: number) =>
  stands(
    whose,
    `it is in step after ${cluster} writes`,
    ({ state, writes }) => state === 'in-step' && writes.cluster === cluster,
  )

const change = (name: string, value: string, manager: string) =>
  patch(
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, ...{ data: { k: value } } },
    manager,
  )

const valueIn = async (name: string) =>
  ((await live('ConfigMap', name, namespace)) as { data?: { k?: string } } | undefined)?.data?.k

describe('a folder that is kept in step', () => {
  test('follows a branch that is switched: each object is written once', async () => {
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
        cwd: here.folder,
        stdio: 'pipe',
      })
    const names = Array.from({ length: 40 }, (_, n) => `branch-${n}`)
    const commit = (value: string) => {
      for (const name of names) here.write(`deep/${name}.yaml`, config(name, value))
      git('add', '.')
      git('commit', '-qm', value)
    }
    git('init', '-q', '-b', 'main')
    commit('1')
    git('checkout', '-qb', 'other')
    commit('2')
    await here.did('daemon', '-f', '-b')
    await inStep(laptop, names.length)
    git('checkout', '-q', 'main')
    await inStep(laptop, 2 * names.length)
    expect(await valueIn('branch-7')).toBe('1')
    expect(git('status', '--porcelain').toString()).toBe('')
  })

  test('leaves what others keep writing to them, says so, and does not write without end', async () => {
    const scaled = (image: string) =>
      `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: scaled}\nspec:\n  replicas: 1\n  selector: {matchLabels: {app: scaled}}\n` +
      `  template:\n    metadata: {labels: {app: scaled}}\n    spec:\n      containers:\n      - {name: web, image: ${image}}\n`
    const hasAutoscalers = await createByHand(
      {
        ...{ apiVersion: 'autoscaling/v1', kind: 'HorizontalPodAutoscaler', metadata: { name: 'scaled' } },
        ...{
          spec: {
            scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'scaled' },
            maxReplicas: 3,
          },
        },
      },
      namespace,
    )
    here.write('scaled.yaml', scaled('one'))
    here.write('fought.yaml', config('fought', '1'))
    await here.did('daemon', '-f', '-b', '--on-conflict', 'local')
    await inStep(laptop, 2)
    const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'scaled', namespace } }
    // Where there are no autoscalers, their controller is known by its name.
    const manager = hasAutoscalers ? 'somebody' : 'kube-controller-manager'
    await patch({ ...deployment, ...{ spec: { replicas: 2 } } }, manager)
    await stands(laptop, 'that is said', ({ left }) => left.some(({ field }) => field === 'spec.replicas'))

    here.write('fought.yaml', config('fought', '2'))
    const fought = async () => {
      if ((await valueIn('fought')) === '2') await change('fought', '1', 'fighter')
      return statusOf(laptop)
    }
    const status = await until('the fight is over', fought, {
      holds: (now) => now?.left.some(({ reason }) => reason.includes('fighter')) === true,
    })
    expect(status?.writes).toEqual({ files: 0, cluster: 2 + 3 })
    here.write('scaled.yaml', scaled('two'))
    await stands(laptop, 'the rest goes on', ({ writes }) => writes.cluster === 6)
    expect(await live('Deployment', 'scaled', namespace)).toMatchObject({ spec: { replicas: 2 } })
    expect([here.read('scaled.yaml'), here.read('fought.yaml')]).toEqual([
      scaled('two'),
      config('fought', '2'),
    ])
  })

  test('and another one with a folder of somebody else follow each other, and write each edit once', async () => {
    const other = new Laptop()
    try {
      const there = new Checkout(other, { name: 'theirs', namespace })
      for (const one of [here, there]) one.write('both.yaml', config('both', '1'))
      await here.did('daemon', '-f', '-b')
      await inStep(laptop, 1)
      await there.did('daemon', '-f', '-b')
      await inStep(other, 0)
      here.edit('both.yaml', '"1"', '"2"')
      await stands(other, 'it comes', ({ writes }) => writes.files === 1)
      there.edit('both.yaml', '"2"', '"3"')
      await stands(laptop, 'it comes back', ({ writes }) => writes.files === 1)
      expect([here.read('both.yaml'), there.read('both.yaml')]).toEqual([
        config('both', '3'),
        config('both', '3'),
      ])
      expect([await inStep(laptop, 2), await inStep(other, 1)].map((one) => one?.writes.files)).toEqual([
        1, 1,
      ])
    } finally {
      await other.remove()
    }
  })
})
