import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { maxRounds } from './memory.ts'
import { change, configMap, Kept, manifest } from './testing/kept.ts'
import { Daemon, newStage } from './testing/stage.ts'

const one = { 'one.yaml': manifest('one', { k: '1' }) }
const many = (amount: number) =>
  Object.fromEntries(Array.from({ length: amount }, (_, n) => [`${n}.yaml`, manifest(`n${n}`, { k: '1' })]))

describe('changes', () => {
  test('here go there, there come here, and nothing else is written', async () => {
    const kept = new Kept(one)
    const { until, session } = await kept.start()
    await until(({ writes }) => writes.cluster === 1)
    kept.write('one.yaml', manifest('one', { k: '2' }).replace('"2"', '"2" # why'))
    await until(({ writes }) => writes.cluster === 2)
    expect(kept.data('one')).toEqual({ k: '2' })
    kept.cluster.edit(configMap('one'), 'kubectl-edit', change({ data: { k: '3' } }))
    const status = await until(({ writes }) => writes.files === 1)
    expect(kept.read('one.yaml')).toContain('  k: "3" # why\n')
    expect(status).toMatchObject({
      state: 'in-step',
      writes: { files: 1, cluster: 2 },
      conflicts: [],
      problems: [],
    })
    expect((await session.journal.read()).map(({ where, outcome }) => `${where} ${outcome}`)).toEqual([
      'cluster done',
      'cluster done',
      'file done',
    ])
  })

  test('on both sides of different fields go both ways, of the same field wait for an answer', async () => {
    const kept = new Kept({ 'one.yaml': manifest('one', { a: '1', b: '1', c: '1' }) })
    const first = await kept.start()
    await first.inStep()
    kept.cluster.isAway = true
    kept.cluster.cut()
    await first.until(({ state }) => state === 'away')
    kept.write('one.yaml', manifest('one', { a: 'here', b: '1', c: 'here' }))
    kept.cluster.edit(configMap('one'), 'kubectl-edit', change({ data: { b: 'there', c: 'there' } }))
    kept.cluster.isAway = false
    const { conflicts } = await first.until(({ state }) => state === 'waiting')
    expect(conflicts).toMatchObject([{ kind: 'conflict', field: 'data.c', local: 'here', remote: 'there' }])
    expect(kept.data('one')).toEqual({ a: 'here', b: 'there', c: 'there' })
    await first.resolve(conflicts[0]?.id ?? '', 'local')
    expect(kept.data('one')).toEqual({ a: 'here', b: 'there', c: 'here' })
    expect(kept.read('one.yaml')).toBe(manifest('one', { a: 'here', b: 'there', c: 'here' }))
    await expect(first.resolve(conflicts[0]?.id ?? '', 'local')).rejects.toMatchObject({
      code: 'NO_SUCH_CONFLICT',
    })
  })

  test('that were never agreed on wait, and values of Secrets are not shown', async () => {
    const secret = manifest('one', { k: 'bWluZQ==' }).replace('ConfigMap', 'Secret')
    const kept = new Kept({ 'one.yaml': secret })
    const theirs = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'one', namespace: 'a' },
      data: { k: 'dGhlaXJz' },
    }
    kept.cluster.edit(configMap('one').replace('configmaps', 'secrets'), 'kubectl-create', () => theirs)
    const { until } = await kept.start()
    const status = await until(({ state }) => state === 'waiting')
    expect(status.conflicts).toMatchObject([{ field: 'data.k', local: '(secret)', remote: '(secret)' }])
    expect(JSON.stringify(status)).not.toMatch(/bWluZQ|dGhlaXJz/)
    expect(kept.writes).toBe(0)
  })

  test('of a whole branch are one burst: each object is written once', async () => {
    const kept = new Kept(many(120))
    const { inStep, until } = await kept.start()
    await inStep()
    for (let n = 0; n < 120; n++) {
      kept.write(`${n}.new`, manifest(`n${n}`, { k: '2' }))
      renameSync(join(kept.root, `${n}.new`), join(kept.root, `${n}.yaml`))
    }
    await until(({ writes, state }) => writes.cluster === 240 && state === 'in-step')
    expect(kept.writes).toBe(240)
  })

  test('go one way only where the mode says so, and what stays different is counted', async () => {
    const kept = new Kept({ 'one.yaml': manifest('one', { a: '1', b: '1' }) })
    const { inStep, until } = await kept.start({ mode: 'to-cluster' })
    await inStep()
    kept.cluster.edit(configMap('one'), 'kubectl-edit', change({ data: { a: '2' } }))
    expect(await until(({ drift }) => drift === 1)).toMatchObject({
      state: 'in-step',
      writes: { files: 0, cluster: 1 },
    })
  })

  test('are not written to a cluster that nobody confirmed', async () => {
    const kept = new Kept(one)
    const { inStep } = await kept.start({ mayWriteCluster: false })
    expect(await inStep()).toMatchObject({ drift: 1, writes: { cluster: 0 } })
    expect(kept.writes).toBe(0)
  })

  test('of what people make there come in, and nothing that was there before', async () => {
    const kept = new Kept(one)
    const made = (name: string) => () => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'a' },
      data: { k: name },
    })
    kept.cluster.edit(configMap('old'), 'kubectl-create', made('old'))
    const { inStep, until } = await kept.start()
    await inStep()
    // Of another folder.
    kept.cluster.edit(configMap('elsewhere'), 'kubesync', made('elsewhere'))
    kept.cluster.edit(configMap('new'), 'kubectl-create', made('new'))
    const status = await until(({ writes }) => writes.files === 1)
    expect(kept.read(status.lastWrites.at(-1)?.file ?? '')).toContain('name: new\n')
    expect(status.objects).toBe(1)
    expect(status.lastWrites.map(({ resource }) => resource)).not.toContain('ConfigMap a/elsewhere')
  })

  test('in dispute end it, where that was said', async () => {
    const kept = new Kept(one)
    const theirs = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'one', namespace: 'a' },
      data: { k: 'theirs' },
    }
    kept.cluster.edit(configMap('one'), 'kubectl-create', () => theirs)
    const { done, status } = await kept.start({ onConflict: 'stop' })
    await done
    expect(status()).toMatchObject({ state: 'stopped', reason: expect.stringContaining('data.k') })
    expect(kept.writes).toBe(0)
  })
})

describe('what is deleted', () => {
  test('here is deleted there only when somebody says so', async () => {
    const kept = new Kept({ ...one, 'two.yaml': manifest('two', { k: '1' }) })
    const { inStep, until, resolve } = await kept.start()
    await inStep()
    kept.remove('one.yaml')
    const { conflicts } = await until(({ state }) => state === 'waiting')
    expect(conflicts).toMatchObject([{ kind: 'deleted-here', resource: 'ConfigMap a/one', file: 'one.yaml' }])
    await resolve(conflicts[0]?.id ?? '', 'local')
    expect(kept.data('one')).toBeUndefined()
    expect(await inStep()).toMatchObject({ conflicts: [], objects: 1 })
  })

  test('here comes back when somebody says so', async () => {
    const kept = new Kept({ ...one, 'two.yaml': manifest('two', { k: '1' }) })
    const { inStep, until, resolve } = await kept.start()
    await inStep()
    kept.remove('one.yaml')
    const { conflicts } = await until(({ state }) => state === 'waiting')
    await resolve(conflicts[0]?.id ?? '', 'remote')
    expect(kept.read('one.yaml')).toContain('name: one\n')
    await inStep()
  })

  test('there is taken out of its file, and what else is in it stays', async () => {
    const both = `${manifest('one', { k: '1' })}---\n${manifest('two', { k: '1' })}`
    const kept = new Kept({ 'both.yaml': both })
    const { inStep, until } = await kept.start({ onDeletion: 'carry' })
    await inStep()
    kept.cluster.remove(configMap('one'), 'kubectl')
    await until(({ writes }) => writes.files === 1)
    expect(kept.read('both.yaml')).toBe(manifest('two', { k: '1' }))
  })

  test('there and edited here is asked, whatever the policy is', async () => {
    const kept = new Kept({ ...one, 'two.yaml': manifest('two', { k: '1' }) })
    const { inStep, until } = await kept.start({ onDeletion: 'carry' })
    await inStep()
    kept.cluster.isAway = true
    kept.cluster.cut()
    await until(({ state }) => state === 'away')
    kept.write('one.yaml', manifest('one', { k: '2' }))
    kept.cluster.remove(configMap('one'), 'kubectl')
    kept.cluster.isAway = false
    const { conflicts } = await until(({ state }) => state === 'waiting')
    expect(conflicts).toMatchObject([{ kind: 'deleted-there' }])
    expect(kept.read('one.yaml')).toBe(manifest('one', { k: '2' }))
  })

  test('in great numbers halts everything until it is back', async () => {
    const kept = new Kept(many(8))
    const { inStep, until } = await kept.start({ onDeletion: 'carry' })
    await inStep()
    renameSync(kept.root, `${kept.root}-away`)
    await until(({ state }) => state === 'away')
    renameSync(`${kept.root}-away`, kept.root)
    await inStep()
    for (let n = 0; n < 6; n++) kept.remove(`${n}.yaml`)
    kept.write('7.yaml', manifest('n7', { k: '2' }))
    const { conflicts, reason } = await until(({ state }) => state === 'halted')
    expect(reason).toMatch(/^6 of 8 objects are not in the folder any more/)
    expect(conflicts).toMatchObject([{ kind: 'many-deleted' }])
    expect(kept.writes).toBe(8)
    for (let n = 0; n < 6; n++) kept.write(`${n}.yaml`, manifest(`n${n}`, { k: '1' }))
    await until(({ writes, state }) => state === 'in-step' && writes.cluster === 9)
  })
})

describe('what is deleted in great numbers', () => {
  test.each([
    ['local', 0],
    ['remote', 6],
  ] as const)('goes or comes back when somebody says that the %s side is right', async (side, amount) => {
    const kept = new Kept(many(6))
    const { inStep, until, resolve } = await kept.start({ onDeletion: 'carry' })
    await inStep()
    for (let n = 0; n < 6; n++) kept.remove(`${n}.yaml`)
    const { conflicts } = await until(({ state }) => state === 'halted')
    await resolve(conflicts[0]?.id ?? '', side)
    await until(({ state, objects }) => state === 'in-step' && objects === amount)
    expect(kept.cluster.list('/api/v1/namespaces/a/configmaps').items).toHaveLength(amount)
  })
})

describe('what cannot be read for a while', () => {
  test.each([
    ['broken YAML', 'a: [\n'],
    ["git's conflict markers", '<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> theirs\n'],
    ['nothing yet, as it is being written', ''],
  ])('%s: it is said once, the others go on, and nothing is taken for deleted', async (_, mess) => {
    const kept = new Kept({ ...one, 'two.yaml': manifest('two', { k: '1' }) })
    const { inStep, until, told } = await kept.start({ onDeletion: mess === '' ? 'ask' : 'carry' })
    await inStep()
    kept.write('one.yaml', mess)
    kept.write('two.yaml', manifest('two', { k: '2' }))
    await until(({ writes }) => writes.cluster === 3)
    kept.write('one.yaml', manifest('one', { k: '3' }))
    await until(({ writes, state }) => writes.cluster === 4 && state === 'in-step')
    expect(kept.data('one')).toEqual({ k: '3' })
    const said = told
      .map(({ problems }) => JSON.stringify(problems))
      .filter((now, index, all) => now !== all[index - 1])
    expect(said).toHaveLength(mess === '' ? 1 : 3)
  })

  test('a cluster that was away is listed again before anything is written', async () => {
    const kept = new Kept(one)
    const { inStep, until } = await kept.start()
    await inStep()
    kept.cluster.isAway = true
    kept.cluster.cut()
    await until(({ state }) => state === 'away')
    kept.write('one.yaml', manifest('one', { k: 'same' }))
    kept.cluster.edit(configMap('one'), 'kubectl-edit', change({ data: { k: 'same' } }))
    kept.cluster.forget()
    kept.cluster.isAway = false
    expect(await inStep()).toMatchObject({ writes: { files: 0, cluster: 1 }, conflicts: [] })
  })
})

describe('somebody else who writes', () => {
  test('an autoscaler has the replicas, and that is said', async () => {
    const deployment = '/apis/apps/v1/namespaces/a/deployments/web'
    const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
    const text =
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 1\n  image: a\n'
    const kept = new Kept({ 'web.yaml': text })
    kept.cluster.edit(
      '/apis/autoscaling/v1/namespaces/a/horizontalpodautoscalers/web',
      'kubectl-create',
      () => ({
        ...{ apiVersion: 'autoscaling/v1', kind: 'HorizontalPodAutoscaler' },
        ...{ metadata: { name: 'web', namespace: 'a' }, spec: { scaleTargetRef } },
      }),
    )
    const { inStep, until } = await kept.start()
    await inStep()
    kept.cluster.edit(deployment, 'autoscaler', change({ spec: { replicas: 4 } }))
    const { left } = await until((status) => status.left.length > 0)
    expect(left).toEqual([
      { resource: 'Deployment.apps a/web', field: 'spec.replicas', reason: 'an autoscaler sets it' },
    ])
    kept.write('web.yaml', text.replace('image: a', 'image: b'))
    await until(({ writes }) => writes.cluster === 2)
    expect(kept.cluster.objects.get(deployment)?.spec).toEqual({ replicas: 4, image: 'b' })
    expect(kept.read('web.yaml')).toContain('replicas: 1\n')
  })

  test('a controller that writes back is fought a few rounds where that was said, and then left alone', async () => {
    const stage = newStage()
    stage.folder.write('one.yaml', manifest('one', { k: '1', other: '1' }))
    const daemon = new Daemon(stage, {
      mode: 'two-way',
      onConflict: 'local',
      onDeletion: 'ask',
      mayWriteCluster: true,
    })
    await daemon.pass()
    stage.folder.write('one.yaml', manifest('one', { k: '2', other: '1' }))
    for (let round = 0; round < 10; round++) {
      await daemon.pass()
      stage.cluster.edit(configMap('one'), 'fighter', change({ data: { k: '1' } }))
      stage.tick(3600_000)
    }
    const ours = stage.cluster.history.filter(({ manager }) => manager === 'kubesync')
    expect(ours).toHaveLength(1 + maxRounds)
    expect(daemon.last?.decision.left).toMatchObject([
      { field: 'data.k', reason: expect.stringContaining('fighter') },
    ])
    stage.folder.write('one.yaml', manifest('one', { k: '2', other: '2' }))
    await daemon.pass()
    expect(stage.cluster.objects.get(configMap('one'))?.data).toEqual({ k: '1', other: '2' })
    expect(stage.folder.read('one.yaml')).toBe(manifest('one', { k: '2', other: '2' }))
  })

  test('a controller that writes another value each time is followed a few times, and then left alone', async () => {
    const stage = newStage()
    stage.folder.write('one.yaml', manifest('one', { k: '1' }))
    const daemon = new Daemon(stage, {
      mode: 'two-way',
      onConflict: 'ask',
      onDeletion: 'ask',
      mayWriteCluster: true,
    })
    await daemon.pass()
    for (let round = 0; round < 10; round++) {
      stage.cluster.edit(configMap('one'), 'counter', change({ data: { k: `${round}` } }))
      stage.tick(1000)
      await daemon.pass()
    }
    expect(stage.folder.read('one.yaml')).toBe(manifest('one', { k: `${maxRounds - 1}` }))
    expect(daemon.last?.decision.left).toMatchObject([{ reason: 'counter keeps writing it' }])
  })

  test('a second one that keeps the same objects makes no loop', async () => {
    const kept = new Kept(one)
    const first = await kept.start()
    const second = await kept.start({}, '.other')
    await Promise.all([first.inStep(), second.inStep()])
    for (const value of ['2', '3']) {
      kept.write('one.yaml', manifest('one', { k: value }))
      await vi.waitFor(() => expect(kept.data('one')).toEqual({ k: value }), { timeout: 10_000 })
    }
    await Promise.all([first.inStep(), second.inStep()])
    expect(kept.writes).toBe(3)
    expect(first.status().writes.files + second.status().writes.files).toBe(0)
  })
})
