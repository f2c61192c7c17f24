import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { useLab } from './support/cluster.ts'
import { Laptop } from './support/ksync.ts'
import { listLocal, listRemote } from './support/trees.ts'
import { until } from './support/until.ts'

const lab = useLab('modes')
const pod = 'plain'
let laptop: Laptop

beforeAll(() => lab.deploy('plain'))
beforeEach(async () => {
  laptop = new Laptop()
  laptop.hasRunInit()
  await laptop.watch()
})
afterEach(() => laptop.remove())

async function create(folder: string, remote: string, ...flags: string[]): Promise<void> {
  await laptop.did('create', '--name', 'it', '--pod', pod, '-n', lab.namespace, ...flags, folder, remote)
  await laptop.inSync('it', 1)
}

describe('one way', () => {
  test('--local-read-only: what changes there stays there', async () => {
    const folder = laptop.folder('here')
    writeFileSync(join(folder, 'ours'), '1')
    await create(folder, '/one-way', '--local-read-only')
    await lab.sh(pod, 'echo 2 > one-way/theirs')
    writeFileSync(join(folder, 'ours'), '3')
    await until('our edit is there', () => lab.sh(pod, 'cat one-way/ours'), {
      holds: (text) => text === '3',
    })
    await laptop.inSync('it', 1)
    expect(readdirSync(folder)).toEqual(['ours'])
    expect(await lab.sh(pod, 'cat one-way/theirs')).toBe('2\n')
  })

  test('--remote-read-only: what changes here stays here', async () => {
    const folder = laptop.folder('here')
    await lab.sh(pod, 'mkdir other-way && echo 1 > other-way/theirs')
    writeFileSync(join(folder, 'ours'), '1')
    await create(folder, '/other-way', '--remote-read-only')
    await lab.sh(pod, 'echo 2 > other-way/theirs')
    await until('their edit is here', () => listLocal(folder), {
      holds: (lines) => lines.some((line) => line.includes('53c234e5e847')),
    })
    expect(await lab.sh(pod, 'ls other-way')).toBe('theirs\n')
  })
})

describe('a mirror', () => {
  test('of this folder undoes there what it does not have', async () => {
    const folder = laptop.folder('here')
    writeFileSync(join(folder, 'ours'), '1')
    await lab.sh(pod, 'mkdir mirror && echo 1 > mirror/theirs && echo 2 > mirror/ours')
    await create(folder, '/mirror', '--mode', 'to-remote-mirror')
    expect(await lab.sh(pod, 'cat mirror/*')).toBe('1')
    await lab.sh(pod, 'echo 3 > mirror/again')
    await until('it is gone again', () => lab.sh(pod, 'ls mirror'), { holds: (text) => text === 'ours\n' })
    expect(readdirSync(folder)).toEqual(['ours'])
  })

  test('of a container keeps what goes here in the trash', async () => {
    const folder = laptop.folder('here')
    writeFileSync(join(folder, 'ours'), 'only here')
    await lab.sh(pod, 'mkdir source && echo 1 > source/theirs')
    await create(folder, '/source', '--mode', 'to-local-mirror')
    expect(readdirSync(folder)).toEqual(['theirs'])
    const { stdout } = await laptop.ksync('undo', '--list', '-o', 'name')
    expect(stdout).toContain('ours')
  })
})

test('--first-contact newest: what was made last stays, and what comes later waits as ever', async () => {
  const folder = laptop.folder('here')
  writeFileSync(join(folder, 'old'), 'ours')
  utimesSync(join(folder, 'old'), 1, 1)
  await lab.sh(
    pod,
    "mkdir newest && echo theirs > newest/old && echo theirs > newest/new && touch -d '2001-01-01' newest/new",
  )
  writeFileSync(join(folder, 'new'), 'ours, longer')
  await create(folder, '/newest', '--first-contact', 'newest')
  expect(readFileSync(join(folder, 'old'), 'utf8')).toBe('theirs\n')
  expect(await lab.sh(pod, 'cat newest/new')).toBe('ours, longer')
})

describe('conflicts', () => {
  test('what differs when they meet waits, and ends when one version is deleted', async () => {
    const folder = laptop.folder('here')
    await lab.sh(pod, 'mkdir met && echo theirs > met/file')
    writeFileSync(join(folder, 'file'), 'ours, longer')
    await create(folder, '/met')
    const [session] = await laptop.sessions('it')
    expect(session?.session?.conflicts).toMatchObject([{ path: 'file' }])
    expect(await lab.sh(pod, 'cat met/file')).toBe('theirs\n')
    rmSync(join(folder, 'file'))
    await until('their version comes', () => listRemote(lab, pod, { path: 'met' }), {
      holds: (remote) => remote.join() === listLocal(folder).join(),
    })
    expect(await lab.sh(pod, 'cat met/file')).toBe('theirs\n')
  })
})

describe('deletions that look like a disaster', () => {
  const files = 60

  function fill(): string {
    const folder = laptop.folder('here')
    mkdirSync(join(folder, 'sub'))
    for (let index = 0; index < files; index++) writeFileSync(join(folder, `sub/${index}`), String(index))
    return folder
  }

  const halted = () =>
    until('the spec is halted', () => laptop.sessions('it'), {
      holds: ([session]) => session?.session?.phase === 'halted',
    })

  test('a folder emptied in the container empties nothing here', async () => {
    const folder = fill()
    await create(folder, '/emptied')
    await lab.sh(pod, 'rm -rf emptied/*')
    await halted()
    expect(listLocal(folder)).toHaveLength(files + 1)
    expect((await laptop.ksync('get')).stderr).toContain('ksync resume it')
  })

  test('a folder removed in the container removes nothing here', async () => {
    const folder = fill()
    await create(folder, '/removed')
    await lab.sh(pod, 'rm -rf removed')
    await halted()
    expect(listLocal(folder)).toHaveLength(files + 1)
  })

  test('most of the files deleted here stay there until somebody says that it is meant', async () => {
    const folder = fill()
    await create(folder, '/most')
    for (let index = 0; index < 50; index++) rmSync(join(folder, `sub/${index}`))
    await halted()
    const left = Number(await lab.sh(pod, 'ls most/sub | wc -l'))
    expect(left).toBeGreaterThanOrEqual(files / 2)
    await laptop.did('resume', 'it')
    await until('they are deleted there, too', () => listRemote(lab, pod, { path: 'most' }), {
      holds: (remote) => remote.join() === listLocal(folder).join(),
    })
  })
})
