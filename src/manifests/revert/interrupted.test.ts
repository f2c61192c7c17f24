import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { carryChange } from '../carry/change.ts'
import { type Ending, endInterrupted, findInterrupted, mayBeInterrupted } from '../carry/interrupted.ts'
import type { Selection } from '../plan/plan.ts'
import type { Session } from '../session.ts'
import { surveyChange } from '../survey/change.ts'
import { surveyFolder } from '../survey/folder.ts'
import { subjectOf } from '../survey/push.ts'
import { configMapWorld } from '../testing/config-map.ts'
import { carryEnding, surveyEnding } from './interrupted.ts'

const file = `# mine
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {a: "1", mine: "x"} # stays
`
const changed = file.replace('"1"', '"2"')
const all: Selection = new Map([['ConfigMap default/a', 'all']])
const wait = { timeoutMs: 1000, onProgress: () => {}, signal: new AbortController().signal }

/**
 * A session whose process is dead from a step on: nothing that it does then ever comes back. Steps are what a kill can come before or
 * after: each record, each request, and, between those, each write of a file.
 */
function dyingAt(session: Session, step: number): { session: Session; death: Promise<void> } {
  let now = 0
  let die = () => {}
  const death = new Promise<void>((resolve) => {
    die = resolve
  })
  const stepped =
    <A extends unknown[], R>(work: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      for (const isBefore of [true, false]) {
        now += 1
        if (now >= step) {
          die()
          // What is killed after a step has done it.
          if (!isBefore) await work(...args)
          return new Promise<R>(() => {})
        }
        if (!isBefore) return work(...args)
      }
      throw new Error('never here')
    }
  const { client, journal, base } = session
  const request = stepped(client.request.bind(client))
  return {
    death,
    session: {
      ...session,
      client: Object.create(client, { request: { value: request } }),
      journal: { ...journal, begin: stepped(journal.begin), end: stepped(journal.end) },
      base: { ...base, put: stepped(base.put) },
    },
  }
}

async function world() {
  const there = await configMapWorld()
  const { root, session } = there
  const path = join(root, 'a.yaml')
  writeFileSync(path, file)
  const prepare = async (to: Session) => {
    const folder = await surveyFolder(to, ['.'])
    const wishesOf = () => [{ path: ['data', 'a'], value: '2', like: undefined }]
    return surveyChange(
      to,
      folder,
      folder.objects.map((object) => ({ ...subjectOf(object), wishesOf })),
    )
  }
  /** Carries the change in a process that dies at a step; whether it did. */
  const killedAt = async (step: number) => {
    const prepared = await prepare(session)
    const { session: mortal, death } = dyingAt(session, step)
    const life = carryChange(mortal, { prepared, selection: all, command: 'deploy' }, wait)
    return Promise.race([death.then(() => true), life.then(() => false)])
  }
  const state = () => [readFileSync(path, 'utf8'), there.object().data]
  return { ...there, path, killedAt, state }
}

/** What a next command does about it. */
async function end(session: Session, ending: Ending): Promise<number> {
  const found = await findInterrupted(session)
  for (const one of found) {
    const prepared = await surveyEnding(session, one, ending)
    await carryEnding(session, { prepared, command: ending, ending }, wait)
    await endInterrupted(session, one, '')
  }
  return found.length
}

describe('a change whose process is killed', () => {
  test.each<[Ending, readonly unknown[]]>([
    ['finish', [changed, { a: '2' }]],
    ['undo', [file, { a: '1' }]],
  ])('at any step can be brought to an end: %s', async (ending, expected) => {
    const seen = new Set<string>()
    for (let step = 1; ; step += 1) {
      const { killedAt, open, state, session } = await world()
      const isKilled = await killedAt(step)
      if (!isKilled) {
        expect(step).toBeGreaterThan(6)
        expect(mayBeInterrupted(session)).toBe(false)
        break
      }
      seen.add(JSON.stringify(state()))
      const next = await open()
      const found = await end(next, ending)
      // What is not found was either never begun or wholly done.
      expect(
        found === 1
          ? [expected]
          : [
              [file, { a: '1' }],
              [changed, { a: '2' }],
            ],
      ).toContainEqual(state())
      expect(await end(await open(), ending)).toBe(0)
      expect(mayBeInterrupted(next)).toBe(false)
    }
    // Nothing, the file alone, and both: all of it was met.
    expect(seen.size).toBe(3)
  })

  test('leaves what somebody changed since', async () => {
    const { killedAt, open, path, put, state } = await world()
    // After the file, before the cluster.
    await killedAt(3)
    expect(state()[0]).toBe(changed)
    writeFileSync(path, changed.replace('"2"', '"3"'))
    put({ data: { a: '1', theirs: 'y' } })
    expect(await end(await open(), 'undo')).toBe(1)
    expect(state()).toEqual([changed.replace('"2"', '"3"'), { a: '1', theirs: 'y' }])
  })

  test('gets its bytes back where nobody touched the file, and else only its own change', async () => {
    const { killedAt, open, path, state } = await world()
    await killedAt(3)
    writeFileSync(path, `${changed}# more\n`)
    await end(await open(), 'undo')
    expect(state()[0]).toBe(`${file}# more\n`)
  })
})
