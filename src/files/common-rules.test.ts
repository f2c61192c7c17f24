import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openBaseStore } from './base/store.ts'
import { nodeAt } from './delta.ts'
import { digestOfRules, noRules, type RuleSet } from './ignore/rule-set.ts'
import { temporaryRoot } from './replica/testing/roots.ts'
import { startSession } from './session.ts'
import { FakeReplica } from './testing/fake-replica.ts'
import { MemoryFiles } from './testing/memory-files.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** A container that answers late when it is told of rules. */
class Slow extends FakeReplica {
  answer: () => void = () => {}

  override follow(rules: RuleSet): Promise<void> {
    this.rules = undefined
    return new Promise((resolve) => {
      this.answer = () => {
        this.rules = rules
        resolve()
      }
    })
  }
}

async function synced() {
  const [local, remote] = [new FakeReplica(new MemoryFiles(0)), new Slow(new MemoryFiles(1_000_000))]
  const base = openBaseStore(join(temporaryRoot(), 'base'))
  base.reset({ container: 'c', localRoot: '', remoteRoot: '', storage: '' }, 'merge')
  local.edit({ do: 'write', path: 'out/a', content: '1' }, { do: 'write', path: 'b', content: '2' })
  local.scan()
  const session = startSession({ local, remote, base, mode: 'two-way-safe', settleMs: 1 })
  onTestFinished(async () => {
    await session.stop()
    base.close()
  })
  await session.settled()
  return { local, remote, base, session }
}

test('until the other side has answered to new rules, nothing is carried out', async () => {
  const { local, remote, base, session } = await synced()
  remote.asked.length = 0
  // As a scan tells it: the rules, and in the same snapshot a tree without what they ignore.
  local.rules = { ...noRules, patterns: ['out/'] }
  local.files.edit({ do: 'remove', path: 'out' })
  local.scan()
  local.edit({ do: 'write', path: 'c', content: '3' })
  for (let i = 0; i < 5; i++) await turn()
  expect(remote.asked).toEqual([])
  expect(session.status.phase).toBe('syncing')
  expect(nodeAt(base.tree, 'out')).toBeUndefined()
  remote.files.edit({ do: 'remove', path: 'out' })
  remote.scan()
  remote.answer()
  await session.settled()
  expect(remote.asked).toEqual(['put c'])
})

test('rules that change back before the other side answered are asked for again', async () => {
  const { local, remote, session } = await synced()
  remote.asked.length = 0
  const before = noRules
  local.rules = { ...noRules, patterns: ['out/'] }
  local.edit({ do: 'write', path: 'c', content: '3' })
  await turn()
  const first = remote.answer
  local.rules = { ...before }
  local.edit({ do: 'write', path: 'd', content: '4' })
  for (let i = 0; i < 5; i++) await turn()
  expect(remote.answer).not.toBe(first)
  expect(remote.asked).toEqual([])
  remote.answer()
  await session.settled()
  // What was ignored for a moment meets as for the first time.
  expect(remote.asked).toEqual(['hash out/a', 'put c', 'put d'])
  expect(digestOfRules(remote.rules ?? before)).toBe(digestOfRules(before))
})

test('a crash between new rules and the answer leaves a base that deletes nothing', async () => {
  const { local, remote, base, session } = await synced()
  local.rules = { ...noRules, patterns: ['out/'] }
  local.files.edit({ do: 'remove', path: 'out' })
  local.scan()
  await turn()
  await session.stop()
  // The rules are gone again, and what they ignored was deleted here in between.
  local.rules = noRules
  remote.rules = noRules
  const again = startSession({ local, remote, base, mode: 'two-way-safe', settleMs: 1 })
  onTestFinished(() => again.stop())
  await again.settled()
  expect([...remote.files.listing().keys()].sort()).toEqual(['b', 'out', 'out/a'])
  expect([...local.files.listing().keys()].sort()).toEqual(['b', 'out', 'out/a'])
})
