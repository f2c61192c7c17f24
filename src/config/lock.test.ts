import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { tryLock, withLock } from './lock.ts'

let home: string
let path: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'lock-'))
  path = join(home, 'deep', 'lock')
})
afterEach(() => rm(home, { recursive: true, force: true }))

async function leftBy(owner: object | string): Promise<void> {
  path = join(home, 'lock')
  await writeFile(path, typeof owner === 'string' ? owner : JSON.stringify(owner))
}

/** A pid that belonged to a process which has ended. */
const deadPid = () => spawnSync(process.execPath, ['-e', '']).pid

describe('tryLock', () => {
  test('tells who has it, and can be taken again once it was released', async () => {
    const first = await tryLock(path)
    expect(await tryLock(path)).toMatchObject({ taken: false, owner: { pid: process.pid } })
    if (first.taken) await first.lock.release()
    expect(await tryLock(path)).toMatchObject({ taken: true })
  })

  test('is taken from a process that was killed', async () => {
    await leftBy({ pid: deadPid(), nonce: 'x' })
    expect(await tryLock(path)).toMatchObject({ taken: true })
  })

  test.skipIf(process.platform !== 'linux')(
    'is taken from a process whose pid now belongs to another',
    async () => {
      await leftBy({ pid: process.pid, start: 'another boot/1', nonce: 'x' })
      expect(await tryLock(path)).toMatchObject({ taken: true })
    },
  )

  test.skipIf(process.platform !== 'linux')(
    'is taken from a process that ended and was not buried',
    async () => {
      // The shell's child ends once the shell, which would bury it, has become something that never does.
      const shell = spawn('sh', ['-c', 'exec 3<&0; sh -c "read line <&3" & echo $!; exec sleep 60'])
      const [line] = await once(shell.stdout, 'data')
      const pid = Number(line)
      const becomes = async (of: number | undefined, state: string) => {
        while (!readFileSync(`/proc/${of}/stat`, 'utf8').includes(state)) await new Promise(setImmediate)
      }
      await becomes(shell.pid, '(sleep)')
      shell.stdin.end()
      await becomes(pid, ') Z ')
      await leftBy({ pid, nonce: 'x' })
      expect(await tryLock(path)).toMatchObject({ taken: true })
      shell.kill('SIGKILL')
    },
  )

  test.each(['', '{', '{"pid":"me"}'])('is taken from nobody that can be made out: %j', async (text) => {
    await leftBy(text)
    expect(await tryLock(path)).toMatchObject({ taken: true })
  })

  test('asks about an owner that cannot be told from another with its pid', async () => {
    await leftBy({ pid: process.pid, nonce: 'x' })
    expect(await tryLock(path, { confirm: async () => true })).toMatchObject({ taken: false })
    expect(await tryLock(path, { confirm: async () => false })).toMatchObject({ taken: true })
  })

  test('of many that find a dead owner exactly one gets it, and nothing else is left', async () => {
    const pid = deadPid()
    for (let round = 0; round < 20; round += 1) {
      await leftBy({ pid, nonce: 'x' })
      const attempts = await Promise.all(Array.from({ length: 8 }, () => tryLock(path)))
      expect(attempts.filter(({ taken }) => taken)).toHaveLength(1)
      expect(await readdir(home)).toEqual(['lock'])
    }
  })

  test('a process that died while it took over from a dead one is succeeded too', async () => {
    const [first, second] = [deadPid(), deadPid()]
    await leftBy({ pid: first, nonce: 'x' })
    await writeFile(`${path}.after-x`, JSON.stringify({ pid: second, nonce: 'y' }))
    const attempts = await Promise.all(Array.from({ length: 8 }, () => tryLock(path)))
    expect(attempts.filter(({ taken }) => taken)).toHaveLength(1)
    expect(await readdir(home)).toEqual(['lock'])
  })

  test('one that is taking over counts as the owner', async () => {
    await leftBy({ pid: deadPid(), nonce: 'x' })
    await writeFile(`${path}.after-x`, JSON.stringify({ pid: process.pid, nonce: 'y' }))
    expect(await tryLock(path)).toMatchObject({ taken: false, owner: { nonce: 'y' } })
  })

  test('a release after it was taken away leaves the new owner alone', async () => {
    const first = await tryLock(path)
    await writeFile(path, JSON.stringify({ pid: process.pid, nonce: 'another' }))
    if (first.taken) await first.lock.release()
    expect(await tryLock(path)).toMatchObject({ taken: false, owner: { nonce: 'another' } })
  })
})

describe('withLock', () => {
  test('lets one in at a time', async () => {
    let inside = 0
    let most = 0
    const work = async () => {
      inside += 1
      most = Math.max(most, inside)
      await new Promise(setImmediate)
      inside -= 1
    }
    await Promise.all(Array.from({ length: 10 }, () => withLock(path, work)))
    expect(most).toBe(1)
  })

  test('is released when the work fails', async () => {
    const failing = withLock(path, () => Promise.reject(new Error('work failed')))
    await expect(failing).rejects.toThrow('work failed')
    expect(await tryLock(path)).toMatchObject({ taken: true })
  })

  test('gives up with the name of who has it', async () => {
    await tryLock(path)
    const late = withLock(path, async () => {}, 50)
    await expect(late).rejects.toMatchObject({ code: 'LOCKED' })
    await expect(late).rejects.toThrow(`process ${process.pid} has held ${path}`)
  })
})
