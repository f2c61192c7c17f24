import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { agentImage, agentNamespace, clusterScript, Lab, ownsCluster } from './support/cluster.ts'
import { Laptop } from './support/ksync.ts'
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
    folder = laptop.folder('folder')
    makeTree(folder, { files: 3000, bytes: 60_000_000, seed: 7 })
    before = listLocal(folder)
    await lab.create()
    await laptop.did('init', '--image', agentImage, '--namespace', agentNamespace)
    await laptop.did('create', '--name', 'it', '-l', 'app=demo', '-n', lab.namespace, folder, '/folder')
    watch = laptop.start('watch')
    await laptop.watchIsUp()
  })

  afterEach(async () => {
    await watch.kill('SIGTERM')
    await lab.remove()
    laptop.remove()
  })

  /** Deploys and returns as soon as the first file is in some pod. */
  async function midTransfer(): Promise<string> {
    await lab.deploy('demo')
    return until(
      'a first file is there',
      async () => {
        for (const pod of await lab.pods('demo')) {
          if ((await lab.sh(pod, 'find /folder -type f 2>/dev/null | head -n 1 || true')) !== '') return pod
        }
        return ''
      },
      { holds: (pod) => pod !== '' },
    )
  }

  async function converges(expected: Listing = before): Promise<void> {
    await laptop.inSync('it', 3, 150_000)
    expect(listLocal(folder)).toEqual(expected)
    for (const pod of await lab.pods('demo')) {
      expect(await listRemote(lab, pod, { path: '/folder' })).toEqual(expected)
    }
  }

  test('a container killed during a transfer is seeded again; the laptop loses nothing', async () => {
    const pod = await midTransfer()
    await killContainer(pod)
    await until('the kubelet restarted it', () => restarts(pod), {
      holds: (count) => count === 1,
      limit: 120_000,
    })
    await converges()
  })

  test('a container killed when in sync is seeded again', async () => {
    await lab.deploy('demo')
    await converges()
    const [pod = ''] = await lab.pods('demo')
    await killContainer(pod)
    await until('the kubelet restarted it', () => restarts(pod), {
      holds: (count) => count === 1,
      limit: 120_000,
    })
    await converges()
  })

  test('what the image holds at the same paths does not win over the laptop in a container that restarted', async () => {
    await lab.deploy('plain')
    const app = laptop.folder('app')
    await laptop.did('create', '--name', 'app', '--pod', 'plain', '-n', lab.namespace, app, '/app')
    await laptop.inSync('app', 1)
    writeFileSync(join(app, 'hello.txt'), 'edited here')
    await until('the edit is there', () => lab.sh('plain', 'cat /app/hello.txt'), {
      holds: (text) => text === 'edited here',
    })
    await laptop.inSync('app', 1)
    await killContainer('plain')
    await until('the kubelet restarted it', () => restarts('plain'), {
      holds: (count) => count === 1,
      limit: 120_000,
    })
    await until('the edit is in the new container', () => lab.sh('plain', 'cat /app/hello.txt'), {
      holds: (text) => text === 'edited here',
    })
    const [bound] = await laptop.inSync('app', 1)
    expect(bound?.session?.conflicts).toEqual([])
    expect(await listRemote(lab, 'plain', { path: '/app' })).toEqual(listLocal(app))
  })

  test('a pod deleted during a transfer is replaced, and so is its content', async () => {
    const pod = await midTransfer()
    await lab.kubectl(['delete', 'pod', pod, '--wait=false'])
    await until('it is gone', () => lab.pods('demo'), {
      holds: (pods) => pods.length === 3 && !pods.includes(pod),
    })
    await converges()
  })

  test('watch killed with -9 during a transfer: the next one goes on', async () => {
    await midTransfer()
    await watch.kill('SIGKILL')
    expect(listLocal(folder)).toEqual(before)
    watch = laptop.start('watch')
    await laptop.watchIsUp()
    await converges()
  })

  test('deletions made here while no watch ran are carried out, and nothing comes back', async () => {
    await lab.deploy('demo')
    await converges()
    await watch.kill('SIGKILL')
    rmSync(join(folder, 'dir 3'), { recursive: true })
    writeFileSync(join(folder, 'new'), 'new')
    const after = listLocal(folder)
    watch = laptop.start('watch')
    await laptop.watchIsUp()
    await converges(after)
  })

  test.runIf(ownsCluster)('the API server restarts during a transfer', async () => {
    await midTransfer()
    await clusterScript('restart-apiserver')
    await converges()
  })

  test.runIf(ownsCluster)(
    'without the API server the state says so, and edits made meanwhile arrive',
    async () => {
      await lab.deploy('demo')
      await converges()
      await clusterScript('stop-apiserver')
      try {
        await until('get shows it', () => laptop.spec('it'), {
          holds: (spec) => spec?.state === 'disconnected',
        })
        writeFileSync(join(folder, 'meanwhile'), 'x')
      } finally {
        await clusterScript('start-apiserver')
      }
      await converges(listLocal(folder))
    },
  )

  /** Ends the container's first process, and sometimes the shell that does it too. */
  async function killContainer(pod: string): Promise<void> {
    await lab.sh(pod, 'kill -TERM 1').catch((error: Error) => expect(error.message).toMatch(/137|143/))
  }

  async function restarts(pod: string): Promise<number> {
    return Number(
      await lab.kubectl(['get', 'pod', pod, '-o', 'jsonpath={.status.containerStatuses[0].restartCount}']),
    )
  }
})
