import { createHash } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { bindBase } from './base/bind.ts'
import { openBaseStore } from './base/store.ts'
import { fetchFile } from './fetch.ts'
import type { FirstContact, Mode } from './mode.ts'
import { openDirectory } from './replica/open-directory.ts'
import type { Replica } from './replica/replica.ts'
import { temporaryRoot } from './replica/testing/roots.ts'
import { servedReplica } from './replica/testing/served.ts'
import { type Session, startSession } from './session.ts'
import type { SessionStatus } from './status.ts'
import { keptIn } from './trash/testing/catalog.ts'

interface Pair {
  readonly local: string
  readonly remote: string
  readonly trash: string
  readonly session: Session
  readonly container: Replica
  settled(): Promise<SessionStatus>
}

/** Two folders that meet for the first time: what differs is a conflict. */
async function met(
  fill: (local: string, remote: string) => void,
  mode: Mode = 'two-way-safe',
  firstContact: FirstContact = 'merge',
): Promise<Pair> {
  const [local, remote, trash] = [temporaryRoot(), temporaryRoot(), join(temporaryRoot(), 'trash')]
  fill(local, remote)
  const replicas = [
    await servedReplica(local, openDirectory, { trash }),
    await servedReplica(remote),
  ] as const
  const base = openBaseStore(join(temporaryRoot(), 'base'))
  const infos = { local: replicas[0].info, remote: replicas[1].info }
  bindBase(base, { container: 'c', ...infos, isSuccessor: false, firstContact })
  const session = startSession({ local: replicas[0], remote: replicas[1], base, mode })
  onTestFinished(async () => {
    await session.stop()
    base.close()
  })
  const settled = async () => {
    await Promise.all(replicas.map((replica) => replica.rescan('all')))
    return session.settled()
  }
  await settled()
  return { local, remote, trash, session, container: replicas[1], settled }
}

function files(local: string, remote: string): void {
  writeFileSync(join(local, 'f.js'), 'ours')
  writeFileSync(join(remote, 'f.js'), 'theirs', { mode: 0o755 })
  utimesSync(join(local, 'f.js'), 1, 1)
  utimesSync(join(remote, 'f.js'), 2, 2)
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const read = (root: string, path = 'f.js') => readFileSync(join(root, path), 'utf8')

describe('a list of conflicts', () => {
  test('has size, time and digest of both versions', async () => {
    const { session } = await met(files)
    expect(await session.conflicts.list()).toEqual([
      {
        path: 'f.js',
        message: expect.any(String),
        local: { kind: 'file', size: 4, mtime: '1970-01-01T00:00:01.000Z', digest: sha256('ours') },
        remote: { kind: 'file', size: 6, mtime: '1970-01-01T00:00:02.000Z', digest: sha256('theirs') },
      },
    ])
  })

  test('has where links lead, and that there is a folder', async () => {
    const { session } = await met((local, remote) => {
      symlinkSync('somewhere', join(local, 'x'))
      mkdirSync(join(remote, 'x'))
    })
    expect(await session.conflicts.list()).toMatchObject([
      { path: 'x', local: { kind: 'symlink', target: 'somewhere' }, remote: { kind: 'directory' } },
    ])
  })

  test('goes with the content of the remote version', async () => {
    const { container } = await met(files)
    expect((await fetchFile(container, 'f.js', 10)).toString()).toBe('theirs')
    await expect(fetchFile(container, 'f.js', 5)).rejects.toMatchObject({ code: 'TOO_LARGE' })
    await expect(fetchFile(container, 'none', 5)).rejects.toMatchObject({ code: 'NO_SUCH_FILE' })
  })
})

describe('a conflict is settled', () => {
  test('for local: both sides have its version then', async () => {
    const { local, remote, session, settled } = await met(files)
    await session.conflicts.resolve('f.js', 'local')
    expect(await settled()).toMatchObject({ phase: 'in-sync', conflicts: [], problems: [] })
    expect([read(local), read(remote)]).toEqual(['ours', 'ours'])
    expect(statSync(join(remote, 'f.js')).mode & 0o111).toBe(0)
  })

  test('for remote: what was here is in the trash', async () => {
    const { local, remote, trash, session, settled } = await met(files)
    await session.conflicts.resolve('f.js', 'remote')
    expect(await settled()).toMatchObject({ phase: 'in-sync', conflicts: [], problems: [] })
    expect([read(local), read(remote)]).toEqual(['theirs', 'theirs'])
    expect(await keptIn(trash)).toEqual(['f.js: ours'])
  })

  test('for both: the remote one gets a name of its own that nothing had', async () => {
    const { local, remote, session, settled } = await met((here, there) => {
      files(here, there)
      writeFileSync(join(there, 'f.remote.js'), 'taken')
    })
    await session.conflicts.resolve('f.js', 'both')
    expect(await settled()).toMatchObject({ phase: 'in-sync', conflicts: [], problems: [] })
    for (const root of [local, remote]) {
      expect([read(root), read(root, 'f.remote.js'), read(root, 'f.remote-2.js')]).toEqual([
        'ours',
        'taken',
        'theirs',
      ])
    }
  })

  test('between links, and between a file and a folder, too', async () => {
    const { local, remote, session, settled } = await met((here, there) => {
      symlinkSync('here', join(here, 'link'))
      symlinkSync('there', join(there, 'link'))
      writeFileSync(join(here, 'x'), 'a file')
      mkdirSync(join(there, 'x/sub'), { recursive: true })
      writeFileSync(join(there, 'x/sub/f'), 'in a folder')
      mkdirSync(join(here, 'y/sub'), { recursive: true })
      writeFileSync(join(here, 'y/sub/f'), 'mine')
      writeFileSync(join(there, 'y'), 'a file')
    })
    await session.conflicts.resolve('link', 'remote')
    await session.conflicts.resolve('x', 'local')
    await session.conflicts.resolve('y', 'local')
    expect(await settled()).toMatchObject({ phase: 'in-sync', conflicts: [], problems: [] })
    for (const root of [local, remote]) {
      expect([readlinkSync(join(root, 'link')), read(root, 'x'), read(root, 'y/sub/f')]).toEqual([
        ...['there', 'a file', 'mine'],
      ])
    }
  })
})

describe('a conflict is not settled', () => {
  test('if what is to go is not what it was any more', async () => {
    const { local, remote, session, settled } = await met(files)
    writeFileSync(join(remote, 'f.js'), 'newer')
    const settling = session.conflicts.resolve('f.js', 'local')
    await expect(settling).rejects.toMatchObject({ code: 'NOT_SETTLED' })
    expect(await settled()).toMatchObject({ conflicts: [{ path: 'f.js' }] })
    expect([read(local), read(remote)]).toEqual(['ours', 'newer'])
  })

  test('on a side that is never written', async () => {
    for (const [mode, keep] of [
      ['to-remote-safe', 'remote'],
      ['to-remote-safe', 'both'],
      ['to-local-safe', 'local'],
      ['to-local-safe', 'both'],
    ] as const) {
      const { local, remote, session } = await met(files, mode)
      await expect(session.conflicts.resolve('f.js', keep)).rejects.toMatchObject({ code: 'SIDE_READ_ONLY' })
      expect([read(local), read(remote), readdirSync(local)]).toEqual(['ours', 'theirs', ['f.js']])
    }
  })

  test('where there is none, or something that cannot be synced', async () => {
    const { local, session } = await met((here, there) => {
      files(here, there)
      symlinkSync('/absolute', join(here, 'x'))
      writeFileSync(join(there, 'x'), 'a file')
    })
    await expect(session.conflicts.resolve('none', 'local')).rejects.toMatchObject({
      code: 'NO_SUCH_CONFLICT',
    })
    await expect(session.conflicts.resolve('x', 'remote')).rejects.toMatchObject({ code: expect.any(String) })
    expect(lstatSync(join(local, 'x')).isSymbolicLink()).toBe(true)
    expect(existsSync(join(local, 'f.js'))).toBe(true)
  })
})

describe('first contact with keep-both', () => {
  const name = `f.conflict-remote-${sha256('theirs').slice(0, 8)}.js`

  test("keeps remote's version on both sides, by a name that says what it is", async () => {
    const { local, remote, session } = await met(files, 'two-way-safe', 'keep-both')
    expect(session.status.conflicts).toEqual([])
    for (const root of [local, remote]) {
      expect(readdirSync(root).sort()).toEqual([name, 'f.js'].sort())
      expect([read(root), read(root, name)]).toEqual(['ours', 'theirs'])
    }
  })

  test('goes on where a crash left it: nothing is kept twice', async () => {
    const interrupted = (local: string, remote: string) => {
      files(local, remote)
      writeFileSync(join(local, name), 'theirs')
    }
    const { local, remote } = await met(interrupted, 'two-way-safe', 'keep-both')
    for (const root of [local, remote]) expect(readdirSync(root).sort()).toEqual([name, 'f.js'].sort())
  })

  test('leaves to a person what it cannot keep twice', async () => {
    const folder = (local: string, remote: string) => {
      writeFileSync(join(local, 'f'), 'ours')
      mkdirSync(join(remote, 'f'))
      writeFileSync(join(remote, 'f/x'), 'theirs')
    }
    const { local, remote, session } = await met(folder, 'two-way-safe', 'keep-both')
    expect(session.status.conflicts).toMatchObject([{ path: 'f' }])
    expect([read(local, 'f'), read(remote, 'f/x')]).toEqual(['ours', 'theirs'])
  })
})
