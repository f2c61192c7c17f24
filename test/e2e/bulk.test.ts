import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { useLab } from './support/cluster.ts'
import { useLaptop } from './support/ksync.ts'
import { agentProcesses, peakMemory } from './support/memory.ts'
import { bulk } from './support/place.ts'
import { listLocal, listRemote, makeTree } from './support/trees.ts'

describe(`a tree of ${bulk.files} files`, () => {
  const lab = useLab('bulk')
  const laptop = useLaptop()
  const pod = 'plain'
  let out: string

  beforeAll(async () => {
    laptop.hasRunInit()
    out = laptop.folder('out')
    makeTree(out, { ...bulk, seed: 1 })
    await lab.deploy('plain')
  })

  async function once(local: string, remote: string) {
    const run = await laptop.ksync('run', '--once', '-n', lab.namespace, '--pod', pod, local, remote)
    expect(run.stderr + run.stdout).not.toMatch(/conflict/i)
    expect(run.code).toBe(0)
  }

  test('goes in, byte-identical, with modes and link targets', async () => {
    await once(out, '/tree')
    expect(await listRemote(lab, pod, { path: 'tree' })).toEqual(listLocal(out))
  })

  test('and comes out into an empty folder', async () => {
    const back = laptop.folder('back')
    await once(back, '/tree')
    expect(listLocal(back)).toEqual(listLocal(out))
  })

  test(`a file of ${bulk.largeMiB} MiB goes in and comes out, in constant memory at both ends`, async () => {
    const folder = laptop.folder('large')
    const hash = createHash('sha256')
    await pipeline(
      Readable.from(blocks(bulk.largeMiB)),
      async function* (source: AsyncIterable<Buffer>) {
        for await (const block of source) {
          hash.update(block)
          yield block
        }
      },
      createWriteStream(join(folder, 'one')),
    )
    const digest = hash.digest('hex')
    const memory = new Map<number, number>()
    const once = async (local: string) => {
      const args = ['run', '--once', '-n', lab.namespace, '--pod', pod, local, '/large']
      const running = laptop.start(...args)
      const { pid } = running.child
      const sampling = setInterval(() => {
        for (const one of [pid ?? 0, ...agentProcesses()]) memory.set(one, peakMemory(one))
      }, 100)
      const { code } = await running.exited
      clearInterval(sampling)
      expect(code).toBe(0)
    }
    await once(folder)
    expect((await lab.sh(pod, 'sha256sum large/one')).slice(0, 64)).toBe(digest)
    const back = laptop.folder('large-back')
    await once(back)
    await lab.sh(pod, 'rm -rf large')
    expect(await digestOf(join(back, 'one'))).toBe(digest)
    expect(Math.max(...memory.values())).toBeLessThan(350)
  })
})

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

function* blocks(count: number): Generator<Buffer> {
  const block = Buffer.alloc(1 << 20)
  for (let index = 0; index < count; index++) {
    block.writeUInt32LE(index, (index * 4099) % (block.length - 4))
    yield Buffer.from(block)
  }
}
