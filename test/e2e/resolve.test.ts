import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { useLab } from './support/cluster.ts'
import { Laptop } from './support/ksync.ts'
import { testWith } from './support/place.ts'
import { Screen } from './support/screen.ts'
import { until } from './support/until.ts'

const lab = useLab('resolve')
const pod = 'plain'
const remote = 'resolved'
const BEFORE = '1\n2\n3\n4\n5\n'
const NAMES = ['alike', 'apart', 'other']
let laptop: Laptop
let folder: string

beforeAll(() => lab.deploy('plain'))

/** Three texts that both sides agreed on, and then changed while nobody watched: one of them in different lines. */
beforeEach(async () => {
  laptop = new Laptop()
  laptop.hasRunInit()
  folder = laptop.folder('here')
  for (const name of NAMES) writeFileSync(join(folder, name), BEFORE)
  await laptop.watch()
  await laptop.did('create', '--name', 'it', '--pod', pod, '-n', lab.namespace, folder, `/${remote}`)
  await laptop.inSync('it', 1)
  await until('the texts are kept', keptBytes, { holds: (bytes) => bytes > 0 })
  await laptop.did('watch', '--stop')
  for (const name of NAMES) writeFileSync(join(folder, name), `ours\n${BEFORE.slice(2)}`)
  await lab.sh(
    pod,
    `cd ${remote} && printf 'theirs\\n2\\n3\\n4\\n5\\n' > alike && cp alike other && printf '1\\n2\\n3\\n4\\ntheirs\\n' > apart`,
  )
  await laptop.watch()
  await until('there are conflicts', conflicts, { holds: (found) => found.length === 3 })
})
afterEach(async () => {
  await laptop.remove()
  await lab.sh(pod, `rm -rf ${remote}`)
})

function keptBytes(): number {
  const state = join(laptop.home, '.kubesync')
  const found = readdirSync(state, { recursive: true, encoding: 'utf8' }).find((path) =>
    path.endsWith('/texts'),
  )
  return found === undefined ? 0 : statSync(join(state, found)).size
}

async function conflicts(): Promise<string[]> {
  return (await laptop.did('conflicts', '-o', 'name')).split('\n').filter((line) => line !== '')
}

const both = async (name: string) => [
  readFileSync(join(folder, name), 'utf8'),
  await lab.sh(pod, `cat ${remote}/${name}`),
]
const MERGED = 'ours\n2\n3\n4\ntheirs\n'

test('a text is merged on request, shown before, and where both changed the same lines it is not', async () => {
  const unasked = await laptop.ksync('resolve', '--merge', join(folder, 'apart'))
  expect(unasked.code).toBe(1)
  expect(unasked.stderr).toContain('+theirs')
  expect(unasked.stderr).toContain('--yes')
  expect(await both('apart')).not.toContain(MERGED)

  await laptop.did('resolve', '--merge', '--yes', join(folder, 'apart'))
  await laptop.inSync('it', 1)
  expect(await both('apart')).toEqual([MERGED, MERGED])

  const refused = await laptop.ksync('resolve', '--merge', '--yes', join(folder, 'alike'))
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('both sides changed line 1')
  expect(refused.stderr).toContain('--keep')
  expect((await conflicts()).sort()).toEqual(['alike', 'other'])
})

test('without a terminal it says what to give', async () => {
  const { code, stderr } = await laptop.ksync('resolve')
  expect(code).toBe(1)
  expect(stderr).toContain('--keep local')
})

testWith('terminal')('in a terminal one conflict after the other is shown and settled', async () => {
  const terminal = laptop.atTerminal(['resolve'])
  const screen = new Screen(terminal)
  for (const index of [1, 2, 3]) {
    const shown = await screen.asks(/\[q\]uit\? $/)
    expect(shown).toContain(`${index} of 3`)
    expect(shown).toContain('-ours')
    expect(shown).toContain('+theirs')
    if (shown.includes(': alike ')) screen.answer('r')
    else if (shown.includes(': other ')) screen.answer('s')
    else {
      screen.answer('m')
      await screen.asks(/on both sides\? \[y\/N\] $/)
      screen.answer('y')
    }
  }
  const { code, stdout } = await terminal.exited
  expect(stdout).toContain('2 conflicts settled, 1 left')
  expect(code).toBe(1)
  await laptop.inSync('it', 1)
  const theirs = `theirs\n${BEFORE.slice(2)}`
  expect(await both('alike')).toEqual([theirs, theirs])
  expect(await both('apart')).toEqual([MERGED, MERGED])
  expect(await conflicts()).toEqual(['other'])
})
