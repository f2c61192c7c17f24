import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { describe, expect, test } from 'vitest'
import { openBaseStore } from './base/store.ts'
import { isTemporary } from './replica/temporary.ts'
import { systemError } from './replica/testing/faulty-dir.ts'
import { temporaryRoot } from './replica/testing/roots.ts'
import { type Dying, type Steps, syncUntilDeath } from './testing/dying.ts'
import { contentsOf } from './testing/pair.ts'

const large = Buffer.alloc(300_000, 'new')
const never = { steps: Number.POSITIVE_INFINITY, die: () => {} }
type Place = Omit<Dying, 'steps' | 'die'>

/** Two folders that were in step, and have both changed since. */
async function changed(): Promise<Place> {
  const state = temporaryRoot()
  const place = {
    ...{ local: temporaryRoot(), remote: temporaryRoot() },
    ...{ basePath: join(state, 'base'), trash: join(state, 'trash') },
  }
  const { local, remote } = place
  for (const name of ['replaced', 'removed', 'mode', 'theirs', 'gone there', 'left'])
    writeFileSync(join(local, name), 'old')
  symlinkSync('old', join(local, 'link'))
  await syncUntilDeath({ ...place, ...never })
  writeFileSync(join(local, 'replaced'), 'new')
  writeFileSync(join(local, 'large'), large)
  mkdirSync(join(local, 'directory'))
  writeFileSync(join(local, 'directory', 'created'), 'new')
  rmSync(join(local, 'removed'))
  rmSync(join(local, 'link'))
  symlinkSync('new', join(local, 'link'))
  chmodSync(join(local, 'mode'), 0o755)
  writeFileSync(join(remote, 'theirs'), 'new there')
  writeFileSync(join(remote, 'from there'), 'new there')
  rmSync(join(remote, 'gone there'))
  return place
}

const outcome = {
  directory: 'directory',
  'directory/created': 'file new',
  'from there': 'file new there',
  large: `file ${large}`,
  left: 'file old',
  link: 'symlink new',
  mode: 'file old *',
  replaced: 'file new',
  theirs: 'file new there',
}

/** Every file is whole, old or new; then the next session brings all of it to its end, and leaves nothing of ours. */
async function expectRecovery(place: Place): Promise<void> {
  const { local, remote, basePath } = place
  for (const root of [local, remote]) {
    for (const name of ['replaced', 'theirs', 'mode', 'left']) {
      expect(['old', 'new', 'new there']).toContain(readFileSync(join(root, name), 'utf8'))
    }
  }
  const base = openBaseStore(basePath)
  expect(base.setAside).toBeUndefined()
  base.close()
  await syncUntilDeath({ ...place, ...never })
  expect(contentsOf(remote)).toEqual(outcome)
  expect(contentsOf(local)).toEqual(outcome)
  for (const root of [local, remote]) expect(readdirSync(root).filter(isTemporary)).toEqual([])
  const inode = statSync(join(remote, 'large')).ino
  await syncUntilDeath({ ...place, ...never })
  expect(statSync(join(remote, 'large')).ino).toBe(inode)
}

async function allSteps(): Promise<Steps> {
  return syncUntilDeath({ ...(await changed()), ...never })
}

function countOf(steps: Steps): number {
  return [...steps.values()].reduce((sum, count) => sum + count, 0)
}

describe('a sync that dies', () => {
  test('at any call of apply and save is brought to its end by the next one, and nothing is lost', async () => {
    const all = await allSteps()
    expect([...all.keys()]).toEqual(
      expect.arrayContaining([
        'createFile',
        'file.write',
        'link',
        'rename',
        'linkTo',
        'moveTo',
        'base.write',
      ]),
    )
    const die = () => {
      throw systemError('EKILLED')
    }
    const dieAt = async (steps: number) => {
      const place = await changed()
      await syncUntilDeath({ ...place, steps, die }).catch(() => {})
      await expectRecovery(place)
    }
    const count = countOf(all)
    expect(count).toBeGreaterThan(100)
    for (let first = 0; first < count; first += 10) {
      await Promise.all(Array.from({ length: 10 }, (_, index) => dieAt(first + index)))
    }
  }, 120_000)

  test('by SIGKILL is, too', async () => {
    const script = join(temporaryRoot(), 'dying.mjs')
    const input = fileURLToPath(new URL('./testing/dying-process.ts', import.meta.url))
    const bundle = await rolldown({ input, platform: 'node' })
    await bundle.write({ file: script, format: 'esm', codeSplitting: false })
    const all = countOf(await allSteps())
    let killed = 0
    for (let steps = 3; steps < all; steps += Math.ceil(all / 12)) {
      const place = await changed()
      const { local, remote, basePath, trash } = place
      const { signal } = spawnSync(process.execPath, [script, local, remote, basePath, trash, String(steps)])
      if (signal === 'SIGKILL') killed++
      await expectRecovery(place)
    }
    expect(killed).toBeGreaterThan(8)
  }, 120_000)
})
