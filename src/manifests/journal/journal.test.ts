import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { openSealer } from '../secrets/seal.ts'
import { openJournal, type SecretsPolicy, type Write } from './journal.ts'

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
