import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { agentImage, agentNamespace, Lab } from './support/cluster.ts'
import { Laptop } from './support/ksync.ts'
import { listLocal, listRemote, makeTree } from './support/trees.ts'

describe('a tree of 20,000 files', () => {
  const lab = new Lab('bulk')
  const laptop = new Laptop()
  let out: string

  beforeAll(async () => {
    await lab.create()
    await Promise.all([
      laptop.did('init', '--image', agentImage, '--namespace', agentNamespace),
      lab.deploy('plain'),
    ])
    out = laptop.folder('out')
    makeTree(out, { files: 20_000, bytes: 260_000_000, seed: 1 })
  })

  afterAll(async () => {
    await lab.remove()
    laptop.remove()
  })

  async function once(local: string, remote: string) {
    const [pod = ''] = await lab.pods('plain')
    const run = await laptop.ksync('run', '--once', '-n', lab.namespace, '--pod', pod, local, remote)
    expect(run.stderr + run.stdout).not.toMatch(/conflict/i)
    expect(run.code).toBe(0)
    return pod
  }

  test('goes in, byte-identical, with modes and link targets', async () => {
    const pod = await once(out, '/tree')
    expect(await listRemote(lab, pod, { path: '/tree' })).toEqual(listLocal(out))
  })

  test('and comes out into an empty folder', async () => {
    const back = laptop.folder('back')
    await once(back, '/tree')
    expect(listLocal(back)).toEqual(listLocal(out))
  })

  test('a file of 1 GB goes in, and both ends use little memory', async () => {
    const folder = laptop.folder('large')
    const hash = createHash('sha256')
    await pipeline(
      Readable.from(blocks(1024)),
      async function* (source: AsyncIterable<Buffer>) {
        for await (const block of source) {
          hash.update(block)
          yield block
        }
      },
      createWriteStream(join(folder, 'one')),
    )
    const pod = await once(folder, '/large')
    const there = await lab.sh(pod, 'sha256sum /large/one && rm /large/one')
    expect(there.slice(0, 64)).toBe(hash.digest('hex'))
  })
})

function* blocks(count: number): Generator<Buffer> {
  const block = Buffer.alloc(1 << 20)
  for (let index = 0; index < count; index++) {
    block.writeUInt32LE(index, (index * 4099) % (block.length - 4))
    yield Buffer.from(block)
  }
}
