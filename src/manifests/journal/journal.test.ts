import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { openSealer } from '../secrets/seal.ts'
import { newOperation, openJournal, type SecretsPolicy, type Write } from './journal.ts'

let path = ''
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'kubesync-journal-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  path = join(folder, 'journal')
})

const open = (secrets: SecretsPolicy) => openJournal(path, { secrets, sealer: openSealer(`${path}.key`) })
const secret = { kind: 'Secret', data: { a: 'aHVudGVyMg==' } }
const text = 'apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {a: hunter2} # mine\n'
const write: Write = {
  ...({ where: 'cluster', context: 'kind', server: 'https://x', file: '/f/a.yaml' } as const),
  ...{ resources: ['Secret shop/db'], before: null, after: secret },
}

describe('values of Secrets', () => {
  test('are not on the disk as they are, and are read by whoever has the key', async () => {
    await open('encrypt').begin([write, { ...write, where: 'file', before: text, after: 'none' }])
    expect(readFileSync(path, 'utf8')).not.toMatch(/hunter2|aHVudGVyMg/)
    expect(await open('encrypt').read()).toMatchObject([
      { before: null, after: secret, isHidden: false },
      { before: text, after: 'none', isHidden: false },
    ])
    for (const closed of [
      openJournal(path),
      openJournal(path, { secrets: 'encrypt', sealer: openSealer(`${path}.no`) }),
    ]) {
      expect(await closed.read()).toMatchObject([
        { after: { data: { a: '(left out)' } }, isHidden: true },
        { before: [{ stringData: { a: '(left out)' } }], isHidden: true },
      ])
    }
    expect(statSync(path).mode & 0o77).toBe(0)
  })

  test('are left out where that is said, and what was encrypted before is still read', async () => {
    await open('encrypt').begin([write])
    await open('leave-out').begin([write])
    expect(await open('leave-out').read()).toMatchObject([
      { after: secret, isHidden: false },
      { after: { data: { a: '(left out)' } }, isHidden: true },
    ])
  })

  test('of what has none, nothing is hidden or sealed', async () => {
    await open('encrypt').begin([{ ...write, after: { kind: 'ConfigMap' } }])
    expect(await openJournal(path).read()).toMatchObject([{ after: { kind: 'ConfigMap' }, isHidden: false }])
    expect(readFileSync(path, 'utf8')).not.toContain('sealed')
  })
})

describe('what a write left', () => {
  const left = { kind: 'Secret', data: { a: 'aHVudGVyMg==' }, type: 'Opaque' }
  test('is what the journal then has of it, sealed where it is secret', async () => {
    const journal = open('encrypt')
    const ids = await journal.begin([
      write,
      { ...write, where: 'file', after: 'text' },
      { ...write, after: null },
    ])
    expect((await journal.read()).map(({ isExact }) => isExact)).toEqual([false, true, true])
    await journal.end([{ id: ids[0] ?? '', reason: '', left: { object: left, uid: 'u' } }])
    expect(readFileSync(path, 'utf8')).not.toMatch(/hunter2|aHVudGVyMg/)
    const [entry] = await journal.read()
    expect(entry).toMatchObject({ outcome: 'done', after: left, isExact: true, isHidden: false, uid: 'u' })
    expect(await openJournal(path).read()).toMatchObject([
      { after: { type: 'Opaque', data: { a: '(left out)' } }, isHidden: true },
      {},
      {},
    ])
  })
})

describe('what is kept', () => {
  const day = 86_400_000
  const files = () => readdirSync(dirname(path)).filter((name) => /^journal(\.\d+)?$/.test(name))
  const wrote = async (outcome: 'done' | 'begun' = 'done') => {
    const journal = open('encrypt')
    const ids = await journal.begin([{ ...write, isOneStep: true }], newOperation('push'))
    if (outcome === 'done') await journal.end(ids.map((id) => ({ id, reason: '' })))
  }
  /** As if all that was written up to now had been so long ago. */
  const age = (days: number) => {
    const at = new Date(Date.now() - days * day)
    for (const name of files()) {
      const file = join(dirname(path), name)
      writeFileSync(
        file,
        readFileSync(file, 'utf8').replaceAll(/"at":"[^"]+"/g, `"at":"${at.toISOString()}"`),
      )
      utimesSync(file, at, at)
    }
  }
  const numbers = async () => (await open('encrypt').operations()).map(({ number }) => number)

  test('is everything for 90 days, in files of a month, for nobody else to read', async () => {
    await wrote()
    age(89)
    await wrote()
    await wrote()
    expect([files().length, await numbers()]).toEqual([2, [1, 2, 3]])
    for (const name of files()) expect(statSync(join(dirname(path), name)).mode & 0o77).toBe(0)
  })

  test('is not what is older, and the numbers of that are not given again', async () => {
    await wrote()
    age(91)
    await wrote()
    expect(await numbers()).toEqual([2])
    age(200)
    await wrote()
    expect(await numbers()).toEqual([3])
  })

  test('is not the oldest of what is too much', async () => {
    await wrote()
    truncateSync(path, 60 * 2 ** 20)
    await wrote()
    truncateSync(path, 9 * 2 ** 20)
    expect(await numbers()).toEqual([1, 2])
    await wrote()
    expect(await numbers()).toEqual([2, 3])
  })

  test('is an operation that is not finished, however old it is', async () => {
    await wrote('begun')
    age(400)
    await wrote()
    age(400)
    await wrote()
    expect(await numbers()).toEqual([1, 2, 3])
  })
})
