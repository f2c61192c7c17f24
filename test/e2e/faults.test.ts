import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Lab } from './support/cluster.ts'
import { apiServer } from './support/faults.ts'
import { Laptop } from './support/ksync.ts'
import { testWith, transfer } from './support/place.ts'
import type { Running } from './support/run.ts'
import { type Listing, listLocal, listRemote, makeTree } from './support/trees.ts'
import { until } from './support/until.ts'

describe('what is cut, killed or replaced while files travel', () => {
  let lab: Lab
  let laptop: Laptop
  let folder: string
  let before: Listing
  let watch: Running

  beforeEach(async () => {
    lab = new Lab('faults')
    laptop = new Laptop()
    laptop.hasRunInit()
    folder = laptop.folder('folder')
    makeTree(folder, { ...transfer, seed: 7 })
    before = listLocal(folder)
    await lab.create()
    await laptop.did('create', '--name', 'it', '-l', 'app=demo', '-n', lab.namespace, folder, '/folder')
    watch = await laptop.watch()
  })

  afterEach(() => laptop.remove().finally(() => lab.remove()))

  /** Deploys and returns as soon as the first file is in some pod. */
  async function midTransfer(): Promise<string> {
    await lab.deploy('demo')
    return until(
      'a first file is there',
      async () => {
        for (const pod of await lab.pods('demo')) {
          if ((await lab.sh(pod, 'find folder -type f 2>/dev/null | head -n 1 || true')) !== '') return pod
        }
        return ''
      },
      { holds: (pod) => pod !== '' },
    )
  }

  /** Both sides come to be as expected, and `get` says so; the laptop's is so all the time. */
  async function converges(expected: Listing = before): Promise<void> {
    await until('all pods hold what they should', () => all('demo'), {
      holds: (pods) => pods.length === 3 && pods.every((listing) => listing.join() === expected.join()),
      limit: 150_000,
      every: 500,
    })
    await laptop.inSync('it', 3)
    for (const listing of [listLocal(folder), ...(await all('demo'))]) expect(listing).toEqual(expected)
  }

  async function all(app: string): Promise<Listing[]> {
    const pods = await lab.pods(app)
    return Promise.all(pods.map((pod) => listRemote(lab, pod, { path: 'folder' })))
  }

  test('a container killed during a transfer is seeded again; the laptop loses nothing', async () => {
    const pod = await midTransfer()
    await killContainer(pod)
    await restarted(pod)
    await converges()
  })

  test('a container killed when in sync is seeded again', async () => {
    await lab.deploy('demo')
    await converges()
    const [pod = ''] = await lab.pods('demo')
    await killContainer(pod)
    await restarted(pod)
    await converges()
  })

  testWith('images')(
    'what the image holds does not win over the laptop in a container that restarted',
    async () => {
      await lab.deploy('plain')
      const app = laptop.folder('app')
      await laptop.did('create', '--name', 'app', '--pod', 'plain', '-n', lab.namespace, app, '/app')
      await laptop.inSync('app', 1)
      writeFileSync(join(app, 'hello.txt'), 'edited here')
      await until('the edit is there', () => lab.sh('plain', 'cat app/hello.txt'), {
        holds: (text) => text === 'edited here',
      })
      await laptop.inSync('app', 1)
      await killContainer('plain')
      await restarted('plain')
      await until('the edit is in the new container', () => lab.sh('plain', 'cat app/hello.txt'), {
        holds: (text) => text === 'edited here',
      })
      const [bound] = await laptop.inSync('app', 1)
      expect(bound?.session?.conflicts).toEqual([])
      expect(await listRemote(lab, 'plain', { path: 'app' })).toEqual(listLocal(app))
    },
  )

  test('a pod deleted during a transfer is replaced, and so is its content', async () => {
    const pod = await midTransfer()
    await lab.replacePod('demo', pod)
    await converges()
  })

  test('watch killed with -9 during a transfer: the next one goes on', async () => {
    await midTransfer()
    await watch.kill('SIGKILL')
    expect(listLocal(folder)).toEqual(before)
    watch = await laptop.watch()
    await converges()
  })

  test('deletions made here while no watch ran are carried out, and nothing comes back', async () => {
    await lab.deploy('demo')
    await converges()
    await watch.kill('SIGKILL')
    rmSync(join(folder, 'dir 3'), { recursive: true })
    writeFileSync(join(folder, 'new'), 'new')
    const after = listLocal(folder)
    watch = await laptop.watch()
    await converges(after)
  })

  testWith('apiServer')('the API server restarts during a transfer', async () => {
    await midTransfer()
    await apiServer.restart()
    await converges()
  })

  testWith('apiServer')('without the API server `get` says so; edits made meanwhile arrive', async () => {
    await lab.deploy('demo')
    await converges()
    await apiServer.stop()
    try {
      await until('get shows it', () => laptop.spec('it'), {
        holds: (spec) => spec?.state === 'disconnected',
      })
      writeFileSync(join(folder, 'meanwhile'), 'x')
    } finally {
      await apiServer.start()
    }
    await converges(listLocal(folder))
  })

  /** Ends the container's first process, and sometimes the shell that does it too. */
  async function killContainer(pod: string): Promise<void> {
    await lab.sh(pod, 'kill $(cat first.pid)').catch((error: Error) => {
      expect(error.message).toMatch(/137|143|without a result/)
    })
  }

  async function restarted(pod: string): Promise<void> {
    await until(`the kubelet restarted ${pod}`, () => lab.restarts(pod), {
      holds: (count) => count === 1,
      limit: 120_000,
    })
  }
})
