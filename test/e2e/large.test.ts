import { createHash, randomBytes } from 'node:crypto'
import { copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { useLab } from './support/cluster.ts'
import { Laptop, useLaptop } from './support/ksync.ts'
import { servers } from './support/memory.ts'
import { testWith } from './support/place.ts'
import { type Relay, relayed } from './support/relay.ts'
import { surroundings } from './support/surroundings.ts'
import { listLocal, listRemote } from './support/trees.ts'
import { until } from './support/until.ts'

const MiB = 1024 * 1024
const pod = 'plain'

describe('what is large or many', () => {
  const lab = useLab('large')
  const home = useLaptop()
  let laptop: Laptop

  beforeAll(async () => {
    const kubeconfig = join(home.home, 'kubeconfig')
    copyFileSync(surroundings.kubeconfig, kubeconfig)
    laptop = new Laptop(kubeconfig)
    laptop.hasRunInit()
    await lab.deploy(pod)
    return () => laptop.remove()
  })

  /** Syncs a folder from now on, by way of a relay, and waits until both sides are equal. */
  async function synced(name: string, fill: (folder: string) => void): Promise<Synced> {
    const folder = laptop.folder(name)
    fill(folder)
    copyFileSync(surroundings.kubeconfig, join(home.home, 'kubeconfig'))
    const relay = await relayed(join(home.home, 'kubeconfig'))
    laptop.start('run', '-n', lab.namespace, '--pod', pod, folder, `/${name}`)
    const equal = async () => {
      const mine = listLocal(folder).join()
      await until('both are equal', () => listRemote(lab, pod, { path: name }), {
        holds: (theirs) => theirs.filter((line) => !line.includes('.kubesync-tmp-')).join() === mine,
        limit: 120_000,
        every: 200,
      })
    }
    return { folder, relay, equal }
  }

  test('a megabyte in front of a large file sends little more than itself', async () => {
    const old = randomBytes(48 * MiB)
    const { folder, relay, equal } = await synced('head', (at) => writeFileSync(join(at, 'file'), old))
    await equal()
    const before = relay.sent
    expect(before).toBeGreaterThan(old.length)
    writeFileSync(join(folder, 'file'), Buffer.concat([randomBytes(MiB), old]))
    await equal()
    expect(relay.sent - before).toBeLessThan(1.2 * MiB)
  })

  test('a folder of a thousand files that is renamed, and one that is copied, send no content', async () => {
    const { folder, relay, equal } = await synced('move', (at) => {
      mkdirSync(join(at, 'a'))
      for (let i = 0; i < 1000; i++) writeFileSync(join(at, `a/${i}`), randomBytes(5000))
    })
    await equal()
    const before = relay.sent
    renameSync(join(folder, 'a'), join(folder, 'b'))
    await equal()
    await lab.sh(pod, 'cp -r move/b move/c')
    await until('the copy is here', () => listRemote(lab, pod, { path: 'move' }), {
      holds: (theirs) => theirs.join() === listLocal(folder).join(),
    })
    // Of five megabytes; what is to be done has to be said.
    expect(relay.sent - before).toBeLessThan(0.5 * MiB)
  })

  testWith('processes')(
    'a transfer whose mirror is killed goes on where it was, and leaves nothing',
    async () => {
      const content = randomBytes(40 * MiB)
      const { folder, relay, equal } = await synced('cut', () => {})
      await until('the mirror runs', () => servers('/cut'), { holds: (found) => found !== undefined })
      relay.limit = relay.sent + 20 * MiB
      writeFileSync(join(laptop.home, 'whole'), content)
      renameSync(join(laptop.home, 'whole'), join(folder, 'file'))
      const partial = () => lab.sh(pod, 'cat cut/.kubesync-tmp-part-* 2>/dev/null | wc -c')
      await until('half of it is there', partial, { holds: (size) => Number(size) > 10 * MiB })
      process.kill(servers('/cut')?.mirror ?? 0, 'SIGKILL')
      relay.open()
      await equal()
      expect(relay.sent).toBeLessThan(52 * MiB)
      expect((await lab.sh(pod, 'ls -A cut')).trim()).toBe('file')
      const digest = createHash('sha256').update(content).digest('hex')
      expect((await lab.sh(pod, 'sha256sum cut/file')).slice(0, 64)).toBe(digest)
      expect(readFileSync(join(folder, 'file')).equals(content)).toBe(true)
    },
  )
})

interface Synced {
  readonly folder: string
  readonly relay: Relay
  equal(): Promise<void>
}
