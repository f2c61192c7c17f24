import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { useLab } from './support/cluster.ts'
import { Laptop } from './support/ksync.ts'
import { listLocal, listRemote } from './support/trees.ts'
import { until } from './support/until.ts'

const lab = useLab('trash')
const pod = 'plain'
let laptop: Laptop
let folder: string
/** In the container, relative to its working directory. */
let remote: string
let count = 0

beforeAll(() => lab.deploy('plain'))
beforeEach(async () => {
  laptop = new Laptop()
  laptop.hasRunInit()
  folder = laptop.folder('here')
  remote = `trash-${count++}`
  mkdirSync(join(folder, 'src/empty'), { recursive: true })
  writeFileSync(join(folder, 'src/main.js'), 'ours\n')
  writeFileSync(join(folder, 'src/run.sh'), '#!/bin/sh\n', { mode: 0o755 })
  symlinkSync('main.js', join(folder, 'src/link'))
  for (let index = 0; index < 10; index++) writeFileSync(join(folder, `${index}`), `${index}`)
  await laptop.watch()
  await laptop.did('create', '--name', 'it', '--pod', pod, '-n', lab.namespace, folder, `/${remote}`)
  await laptop.inSync('it', 1)
})
afterEach(() => laptop.remove())

const gone = (path: string) =>
  until(`${path} is gone here`, () => existsSync(join(folder, path)), { holds: (isThere) => !isThere })

async function bothAreEqual(): Promise<void> {
  await until('both sides are equal', () => listRemote(lab, pod, { path: remote }), {
    holds: (there) => there.join() === listLocal(folder).join(),
  })
}

describe('undo', () => {
  test('brings back what a container deleted, and the watch carries it there again', async () => {
    const before = listLocal(folder)
    const { mtimeMs } = statSync(join(folder, 'src/main.js'))
    await lab.sh(pod, `rm -rf ${remote}/src`)
    await gone('src')
    await laptop.inSync('it', 1)
    const listed = JSON.parse(await laptop.did('undo', '--list', '-o', 'json'))
    expect(listed).toContainEqual(
      expect.objectContaining({ path: join(folder, 'src/main.js'), why: 'deleted', spec: 'it', pod }),
    )
    expect(await laptop.did('undo', join(folder, 'src'))).toContain('src/main.js is back')
    expect(listLocal(folder)).toEqual(before)
    expect(readlinkSync(join(folder, 'src/link'))).toBe('main.js')
    expect(statSync(join(folder, 'src/main.js')).mtimeMs).toBe(mtimeMs)
    await bothAreEqual()
    expect(await laptop.did('undo', '--list')).toBe('')
  })

  test('brings back what a container replaced, if that is meant, and the other way round', async () => {
    const path = join(folder, 'src/main.js')
    await lab.sh(pod, `echo theirs > ${remote}/src/main.js`)
    await until('their edit is here', () => readFileSync(path, 'utf8'), {
      holds: (text) => text === 'theirs\n',
    })
    await laptop.inSync('it', 1)
    const asked = await laptop.ksync('undo', path)
    expect(asked).toMatchObject({ code: 1, stderr: expect.stringContaining('--yes') })
    expect(readFileSync(path, 'utf8')).toBe('theirs\n')
    for (const text of ['ours\n', 'theirs\n']) {
      await laptop.did('undo', '--yes', path)
      expect(readFileSync(path, 'utf8')).toBe(text)
      await bothAreEqual()
      expect(await lab.sh(pod, `cat ${remote}/src/main.js`)).toBe(text)
    }
  })

  test('of what is ignored by now brings it back here, and not there', async () => {
    await lab.sh(pod, `rm ${remote}/src/run.sh`)
    await gone('src/run.sh')
    writeFileSync(join(folder, '.ksyncignore'), '*.sh\n')
    await until('the rule is there', () => lab.sh(pod, `ls -A ${remote}`), {
      holds: (names) => names.includes('.ksyncignore'),
    })
    expect(await laptop.did('undo', '--last')).toContain('src/run.sh is back')
    writeFileSync(join(folder, 'src/after'), '')
    await until('what came after it is there', () => lab.sh(pod, `ls ${remote}/src`), {
      holds: (names) => names.includes('after'),
    })
    const [session] = await laptop.inSync('it', 1)
    expect(session?.session).toMatchObject({ conflicts: [], problems: [] })
    expect(readFileSync(join(folder, 'src/run.sh'), 'utf8')).toBe('#!/bin/sh\n')
    expect(await lab.sh(pod, `ls ${remote}/src`)).not.toContain('run.sh')
  })

  test('works without a watch, and the next one carries what came back', async () => {
    await lab.sh(pod, `rm ${remote}/src/run.sh`)
    await gone('src/run.sh')
    await laptop.inSync('it', 1)
    await laptop.did('watch', '--stop')
    expect(await laptop.did('undo', '--last')).toContain('src/run.sh is back')
    expect(statSync(join(folder, 'src/run.sh')).mode & 0o111).toBe(0o111)
    await laptop.watch()
    await laptop.inSync('it', 1)
    await bothAreEqual()
  })

  test('needs no spec any more', async () => {
    await lab.sh(pod, `rm ${remote}/0`)
    await gone('0')
    await laptop.did('delete', 'it')
    expect(await laptop.did('undo', '--last')).toContain('0 is back')
  })
})

test('a deletion that cannot be kept is not carried out, and get says so', async () => {
  // In place of the trash is a file.
  rmSync(join(laptop.home, '.kubesync/trash'), { recursive: true, force: true })
  writeFileSync(join(laptop.home, '.kubesync/trash'), '')
  await lab.sh(pod, `rm ${remote}/0`)
  await until('get tells of it', () => laptop.ksync('get', '-o', 'wide'), {
    holds: ({ stdout }) => stdout.includes('problem at 0 (local)') && stdout.includes('put into the trash'),
  })
  expect(readFileSync(join(folder, '0'), 'utf8')).toBe('0')
  rmSync(join(laptop.home, '.kubesync/trash'))
  await gone('0')
})

describe('a conflict', () => {
  const path = 'src/main.js'

  /** Both sides change it while no watch runs. */
  beforeEach(async () => {
    await laptop.did('watch', '--stop')
    writeFileSync(join(folder, path), 'mine now\n')
    await lab.sh(pod, `echo theirs > ${remote}/${path}`)
    await laptop.watch()
    await until('there is a conflict', async () => JSON.parse(await laptop.did('conflicts', '-o', 'json')), {
      holds: (found: unknown[]) => found.length === 1,
    })
  })

  const both = async () => [
    readFileSync(join(folder, path), 'utf8'),
    await lab.sh(pod, `cat ${remote}/${path}`),
  ]

  test('is listed with both versions, and --diff shows what differs', async () => {
    expect(JSON.parse(await laptop.did('conflicts', 'it', '-o', 'json'))).toMatchObject([
      {
        ...{ spec: 'it', pod, path },
        local: { kind: 'file', size: 9, digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
        remote: { kind: 'file', size: 7, digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
      },
    ])
    const diff = await laptop.ksync('conflicts', '--diff', path, '--spec', 'it')
    expect(diff.code).toBe(1)
    expect(diff.stdout).toContain('-mine now\n+theirs\n')
    expect((await laptop.ksync('conflicts', '--diff', join(folder, 'src/run.sh'))).code).toBe(0)
    expect((await laptop.ksync('conflicts', '--diff', join(folder, 'none'))).code).toBe(2)
  })

  test.each([
    ['local', 'mine now\n'],
    ['remote', 'theirs\n'],
  ])('is settled for %s', async (keep, text) => {
    await laptop.did('resolve', join(folder, path), '--keep', keep)
    await laptop.inSync('it', 1)
    expect(await both()).toEqual([text, text])
    expect(JSON.parse(await laptop.did('conflicts', '-o', 'json'))).toEqual([])
    if (keep === 'remote') {
      await laptop.did('undo', '--yes', join(folder, path))
      expect(readFileSync(join(folder, path), 'utf8')).toBe('mine now\n')
    }
  })

  test('is settled for both, the remote version by a name of its own', async () => {
    await laptop.did('resolve', join(folder, path), '--keep', 'both')
    await laptop.inSync('it', 1)
    await bothAreEqual()
    expect(await both()).toEqual(['mine now\n', 'mine now\n'])
    expect(readFileSync(join(folder, 'src/main.remote.js'), 'utf8')).toBe('theirs\n')
  })
})
