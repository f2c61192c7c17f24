import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { useLab } from './support/cluster.ts'
import { useLaptop } from './support/ksync.ts'
import { listLocal, listRemote } from './support/trees.ts'
import { until } from './support/until.ts'

describe('a folder and the pods of a selector', () => {
  const lab = useLab('sync')
  const laptop = useLaptop()
  let demo: string

  beforeAll(() => {
    laptop.hasRunInit()
    demo = laptop.folder('demo')
    mkdirSync(join(demo, 'src/empty'), { recursive: true })
    writeFileSync(join(demo, 'src/main.js'), 'console.log(1)\n')
    writeFileSync(join(demo, 'start.sh'), '#!/bin/sh\n', { mode: 0o755 })
  })

  test('without a watch, get says that none runs', async () => {
    const { stderr } = await laptop.ksync('get')
    expect(stderr).toMatch(/ksync watch/)
  })

  test('a spec waits for pods that do not exist yet, and get says so', async () => {
    await laptop.watch()
    const created = await laptop.did(
      ...['create', '--name', 'demo', '--selector=app=demo', '-n', lab.namespace],
      ...['./demo', '/demo-files'],
    )
    expect(created).toContain('demo')
    const spec = await until('the running watch picked the spec up', () => laptop.spec('demo'), {
      holds: (seen) => seen !== undefined,
    })
    expect(spec).toMatchObject({ state: 'waiting', sessions: [] })
  })

  test('local files arrive in all three replicas, deployed afterwards', async () => {
    await lab.deploy('demo')
    const sessions = await laptop.inSync('demo', 3)
    const pods = await lab.pods('demo')
    expect(sessions.map((s) => s.pod).sort()).toEqual([...pods].sort())
    expect(sessions.filter((s) => s.role === 'leader')).toHaveLength(1)
    for (const pod of pods) {
      expect(await listRemote(lab, pod, { path: 'demo-files' })).toEqual(listLocal(demo))
    }
  })

  test('an edit here is there', async () => {
    writeFileSync(join(demo, 'src/main.js'), 'console.log(2)\n')
    for (const pod of await lab.pods('demo')) {
      await until(`the edit is in ${pod}`, () => lab.sh(pod, 'cat demo-files/src/main.js'), {
        holds: (text) => text === 'console.log(2)\n',
      })
    }
  })

  test('an edit in the leader’s container is here, and in the other replicas', async () => {
    const { pod } = await leader()
    await lab.sh(pod, 'echo made-there > demo-files/src/there.txt')
    await until('the file is here', () => readFileSync(join(demo, 'src/there.txt'), 'utf8'), {
      holds: (text) => text === 'made-there\n',
    })
    for (const other of await lab.pods('demo')) {
      await until(`and in ${other}`, () => lab.sh(other, 'cat demo-files/src/there.txt'), {
        holds: (text) => text === 'made-there\n',
      })
    }
  })

  test('renames, deletions and directories travel both ways', async () => {
    const { pod } = await leader()
    renameSync(join(demo, 'src'), join(demo, 'lib'))
    rmSync(join(demo, 'start.sh'))
    await until('there as here', () => listRemote(lab, pod, { path: 'demo-files' }), {
      holds: (remote) => remote.join('\n') === listLocal(demo).join('\n'),
    })
    await lab.sh(
      pod,
      'cd demo-files && mv lib/main.js top.js && rm -r lib && mkdir -p a/b/c && ln -s ../top.js a/link',
    )
    await until('here as there', () => listRemote(lab, pod, { path: 'demo-files' }), {
      holds: (remote) =>
        remote.includes('link ../top.js a/link') && remote.join('\n') === listLocal(demo).join('\n'),
    })
    expect(listLocal(demo)).toHaveLength(5)
  })

  test('names with spaces, quotes, newlines and Unicode', async () => {
    const { pod } = await leader()
    const names = [
      'with space',
      'quo"te\'s',
      'new\nline',
      'ünï—漢字🎉',
      '-rf',
      '*?[x]',
      'back\\slash',
      '#hash%20',
    ]
    for (const name of names) writeFileSync(join(demo, name), name)
    const there = () => lab.sh(pod, 'cd demo-files && find . -mindepth 1 -maxdepth 1 -print0')
    await until('all are there', there, {
      holds: (found) => names.every((name) => found.split('\0').includes(`./${name}`)),
    })
    await lab.sh(
      pod,
      'cd demo-files && mkdir named && for f in ./*; do [ -f "$f" ] && mv -- "$f" named/; done; true',
    )
    await until('and come back from there', () => readdirSync(join(demo, 'named')), {
      holds: (found) => names.every((name) => found.includes(name)),
    })
    for (const name of names) expect(readFileSync(join(demo, 'named', name), 'utf8')).toBe(name)
  })

  test('delete ends the sync and leaves the files on both sides', async () => {
    const { pod } = await leader()
    await laptop.did('delete', 'demo')
    await until('get shows no spec', () => laptop.spec('demo'), { holds: (spec) => spec === undefined })
    writeFileSync(join(demo, 'after'), '')
    await lab.sh(pod, 'test -d demo-files/named')
    expect(await lab.sh(pod, 'ls demo-files')).not.toContain('after')
  })

  async function leader() {
    const found = (await laptop.inSync('demo', 3)).find((session) => session.role === 'leader')
    if (found === undefined) throw new Error('no leader')
    return found
  }
})
