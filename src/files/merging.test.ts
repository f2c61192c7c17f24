import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openTextStore, type TextStore } from './base/texts.ts'
import { digestOf } from './replica/hash.ts'
import { temporaryRoot } from './replica/testing/roots.ts'
import { type Pair, settled, synced } from './testing/pair.ts'

const PATH = 'f.txt'
const BEFORE = '1\n2\n3\n4\n5\n'

interface Kept extends Pair {
  readonly store: TextStore
}

/** Two folders in step, with a file that was carried over, and the texts of that kept. */
async function agreed(before: string | Buffer = BEFORE): Promise<Kept> {
  const local = temporaryRoot()
  writeFileSync(join(local, PATH), before)
  const store = openTextStore(join(temporaryRoot(), 'texts'))
  onTestFinished(() => store.close())
  const find = async (_path: string, digest: string) => store.get(digest)
  const pair = await synced({ local, texts: { store, find } })
  await settled(pair)
  return { ...pair, store }
}

async function conflict(pair: Pair, local: string | Buffer, remote: string | Buffer): Promise<void> {
  writeFileSync(join(pair.local, PATH), local)
  writeFileSync(join(pair.remote, PATH), remote)
  expect((await settled(pair)).conflicts).toMatchObject([{ path: PATH }])
}

const read = (pair: Pair) => [pair.local, pair.remote].map((root) => readFileSync(join(root, PATH), 'utf8'))

/** What was carried over is read again when there is time. */
async function untilKept({ store }: Kept, content: string | Buffer): Promise<void> {
  const digest = digestOf(Buffer.from(content))
  await expect.poll(() => store.has(digest)).toBe(true)
}

describe('a merge', () => {
  test('of changes to different lines has both, on both sides, and is what comes next begins with', async () => {
    const pair = await agreed()
    await untilKept(pair, BEFORE)
    await conflict(pair, 'one\n2\n3\n4\n5\n', '1\n2\n3\n4\nfive\n6\n')
    const { content, versions } = await pair.session.merging.preview(PATH)
    expect(content.toString()).toBe('one\n2\n3\n4\nfive\n6\n')
    expect(read(pair)).toEqual(['one\n2\n3\n4\n5\n', '1\n2\n3\n4\nfive\n6\n'])
    await pair.session.merging.carryOut(PATH, versions)
    expect((await settled(pair)).conflicts).toEqual([])
    expect(read(pair)).toEqual([content.toString(), content.toString()])
    await untilKept(pair, content)
    await conflict(pair, 'one\n2\nthree\n4\nfive\n6\n', 'ONE\n2\n3\n4\nfive\n6\n')
    expect((await pair.session.merging.preview(PATH)).content.toString()).toBe('ONE\n2\nthree\n4\nfive\n6\n')
  })

  test('keeps bytes that are no UTF-8', async () => {
    const pair = await agreed(Buffer.from('caf\xe9\n2\n3\n', 'latin1'))
    await untilKept(pair, Buffer.from('caf\xe9\n2\n3\n', 'latin1'))
    await conflict(
      pair,
      Buffer.from('caf\xe9\n2\n3\n4\n', 'latin1'),
      Buffer.from('caf\xe8\n2\n3\n', 'latin1'),
    )
    const { content } = await pair.session.merging.preview(PATH)
    expect(content.toString('latin1')).toBe('caf\xe8\n2\n3\n4\n')
  })

  test.each([
    ['the same lines', 'x\n2\n3\n4\n5\n', 'y\n2\n3\n4\n5\n', /both sides changed line 1/],
    ['what is no text', '1\0\n2\n3\n4\n5\n', '1\n2\n3\n4\ny\n', /no text/],
  ])('of %s is refused, with the reason, and nothing is written', async (_what, local, remote, reason) => {
    const pair = await agreed()
    await untilKept(pair, BEFORE)
    await conflict(pair, local, remote)
    await expect(pair.session.merging.preview(PATH)).rejects.toMatchObject({
      code: 'NOT_MERGED',
      message: expect.stringMatching(reason),
    })
    expect(read(pair)).toEqual([local, remote])
  })

  test('is refused where nobody knows what both began with', async () => {
    const pair = await synced()
    writeFileSync(join(pair.local, PATH), BEFORE)
    await settled(pair)
    await conflict(pair, 'x\n', 'y\n')
    await expect(pair.session.merging.preview(PATH)).rejects.toThrow(/neither kept nor is it in git/)
  })

  test('of what was not shown is not carried out', async () => {
    const pair = await agreed()
    await untilKept(pair, BEFORE)
    await conflict(pair, 'one\n2\n3\n4\n5\n', '1\n2\n3\n4\nfive\n')
    const { versions } = await pair.session.merging.preview(PATH)
    writeFileSync(join(pair.remote, PATH), '1\n2\n3\n4\n5\n6\n')
    await settled(pair)
    await expect(pair.session.merging.carryOut(PATH, versions)).rejects.toMatchObject({ code: 'NOT_SETTLED' })
    expect(read(pair)).toEqual(['one\n2\n3\n4\n5\n', '1\n2\n3\n4\n5\n6\n'])
  })
})
