import { chmodSync, copyFileSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { processRef } from '../radar.ts'
import { blockSize, journalRoom } from './block.ts'
import { programOf } from './check.ts'
import { freeze } from './freeze.ts'
import { execute, seize } from './in-place.ts'
import { writeJournal } from './journal.ts'
import { openMemory, statOf } from './process.ts'
import { continueLeftovers, recover } from './recover.ts'
import { release } from './release.ts'
import { restartInPlace } from './restart.ts'
import { signalFirst } from './signal.ts'
import { containerId, type Subject, startSubject } from './testing.ts'

const works = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch)
const isRoot = process.getuid?.() === 0

let subject: Subject
afterEach(() => subject.end())

const restart = () => restartInPlace(`containerd://${containerId}`, subject.procfs)

/** It tells of its start and then, with threads and timers, of every second signal to go on. */
const server = `
  const fs = require('fs')
  process.on('SIGUSR2', () => fs.appendFileSync('heard', 'on\\n'))
  fs.appendFileSync('starts', [process.pid, ...process.argv.slice(1), process.env.HOME].join(' ') + '\\n')
  setInterval(() => {}, 5)`

/** The old program goes on: it hears a signal. */
async function goesOn(times = 1): Promise<void> {
  process.kill(subject.pid, 'SIGUSR2')
  expect(await subject.lines('heard', times)).toHaveLength(times)
}

describe.runIf(works)('a restart in place', () => {
  test('is the same process, with its arguments and environment, and a program that begins anew', async () => {
    subject = await startSubject(process.execPath, ['-e', server, 'two words', 'ünï', ''])
    const [first] = await subject.lines('starts', 1)
    const before = processRef(subject.pid)
    for (let count = 2; count <= 6; count += 1) {
      await restart()
      expect((await subject.lines('starts', count)).at(-1)).toBe(first)
    }
    expect(processRef(subject.pid)).toEqual(before)
  })

  test('ends its children, with all that they started, leaves no zombies, and opens nothing twice', async () => {
    const script =
      'exec 7>kept; sleep 1000 & (sleep 1001 & wait) & echo start >>starts; wait; echo over >>starts; wait'
    subject = await startSubject('/bin/sh', ['-c', script])
    await subject.lines('starts', 1)
    const open = () => readdirSync(`/proc/${subject.pid}/fd`).length
    const before = open()
    for (let count = 2; count <= 5; count += 1) {
      await restart()
      await subject.lines('starts', count)
    }
    expect(await subject.lines('starts', 5)).toEqual(Array.from({ length: 5 }, () => 'start'))
    expect(open()).toBeLessThanOrEqual(before)
    const children = readFileSync(`/proc/${subject.pid}/task/${subject.pid}/children`, 'utf8')
      .split(' ')
      .filter(Boolean)
    expect(children.length).toBeLessThanOrEqual(2)
  })

  test('of a program that does nothing but compute', async () => {
    subject = await startSubject('/bin/sh', ['-c', 'echo start >>starts; while :; do :; done'])
    await subject.lines('starts', 1)
    await restart()
    expect(await subject.lines('starts', 2)).toHaveLength(2)
  })

  test('executes what has the name of its program by now', async () => {
    subject = await startSubject('/bin/sh', [
      '-c',
      'cp /bin/sh program; exec ./program -c "echo start >>starts; while :; do sleep 0.1; done"',
    ])
    await subject.lines('starts', 1)
    const program = join(subject.home, 'program')
    copyFileSync('/bin/sh', `${program}.new`)
    chmodSync(`${program}.new`, 0o755)
    renameSync(`${program}.new`, program)
    await restart()
    await subject.lines('starts', 2)
    expect(statSync(`/proc/${subject.pid}/exe`).ino).toBe(statSync(program).ino)
  })

  test('is refused where its program is gone, and it goes on', async () => {
    subject = await startSubject('/bin/sh', [
      '-c',
      `cp ${process.execPath} program; exec ./program -e "$1"`,
      'sh',
      server,
    ])
    await subject.lines('starts', 1)
    rmSync(join(subject.home, 'program'))
    await expect(restart()).rejects.toMatchObject({ code: 'RELOAD_REFUSED', message: /not there any more/ })
    await goesOn()
  })

  test('is refused where its title was changed', async () => {
    subject = await startSubject(process.execPath, ['-e', `process.title = 'other'; ${server}`])
    await subject.lines('starts', 1)
    await expect(restart()).rejects.toThrow(/title/)
    await goesOn()
  })

  test.runIf(isRoot)('is refused where it gave up its user, with both users', async () => {
    const gives = `${server}; process.setgid(1000); process.setuid(1000); require('fs').writeSync(1, 'given')`
    subject = await startSubject(process.execPath, ['-e', gives])
    await new Promise((resolve) => subject.child.stdout?.once('data', resolve))
    await expect(restart()).rejects.toThrow(/started as uid 0 and runs as uid 1000/)
  })
})

describe.runIf(works)('a program that cannot be executed', () => {
  async function fail() {
    const memory = openMemory(subject.pid)
    const program = { ...programOf(subject.pid, memory), path: Buffer.from('/does/not/exist'), zombies: 0 }
    const surgery = await seize(subject.pid, memory, blockSize(program))
    await expect(execute(surgery, async () => program)).rejects.toThrow(/error 2/)
    return { memory, surgery }
  }

  test.each([
    ['with many threads', process.execPath, ['-e', server]],
    [
      'in a shell',
      '/bin/sh',
      ['-c', 'trap "echo on >>heard" USR2; echo >starts x; while :; do sleep 0.01; done'],
    ],
  ])('leaves the old one as it was, again and again: %s', async (_what, command, args) => {
    subject = await startSubject(command, args)
    await subject.lines('starts', 1)
    for (let time = 1; time <= 5; time += 1) {
      const { memory, surgery } = await fail()
      await release(surgery)
      memory.close()
      await goesOn(time)
    }
    expect(await subject.lines('starts', 1)).toHaveLength(1)
  })

  test('and an agent that dies then: the next one takes it back', async () => {
    subject = await startSubject(process.execPath, ['-e', server])
    await subject.lines('starts', 1)
    const { memory, surgery } = await fail()
    await expect(recover(subject.pid, memory)).rejects.toMatchObject({ code: 'RELOAD_BUSY' })
    writeJournal(memory, surgery.base, { ...surgery.journal, agent: { pid: 4_194_304, startTime: 1 } })
    await continueLeftovers()
    memory.close()
    await goesOn()
    await restart()
    expect(await subject.lines('starts', 2)).toHaveLength(2)
  })
})

test.runIf(works)('what an agent that died had only stopped goes on with the next one', async () => {
  subject = await startSubject(process.execPath, ['-e', server])
  await subject.lines('starts', 1)
  const memory = openMemory(subject.pid)
  const { base, journal } = await seize(subject.pid, memory, journalRoom)
  expect(statOf(`/proc/${subject.pid}/stat`)?.state).toBe('T')
  writeJournal(memory, base, { ...journal, agent: { pid: 4_194_304, startTime: 1 } })
  memory.close()
  await continueLeftovers()
  await goesOn()
})

test.runIf(works)('what somebody else stopped stays so', async () => {
  subject = await startSubject('/bin/sh', ['-c', 'echo x >starts; while :; do sleep 0.1; done'])
  await subject.lines('starts', 1)
  await freeze(subject.pid)
  await continueLeftovers()
  await expect(restart()).rejects.toThrow(/it is stopped/)
})

test.runIf(works)('memory that may not be written is found out before anything is stopped', async () => {
  subject = await startSubject(process.execPath, ['-e', server])
  await subject.lines('starts', 1)
  const memory = openMemory(subject.pid)
  const write = () => {
    throw Object.assign(new Error('EIO'), { code: 'EIO' })
  }
  await expect(seize(subject.pid, { ...memory, write }, journalRoom)).rejects.toThrow(/lets nobody write/)
  memory.close()
  await goesOn()
})

test.runIf(works)('a signal is sent if it is handled, and not if it would end the process', async () => {
  subject = await startSubject(process.execPath, ['-e', server])
  await subject.lines('starts', 1)
  const first = { pid: subject.pid, startTime: statOf(`/proc/${subject.pid}/stat`)?.startTime ?? 0 }
  signalFirst(first, 'SIGUSR2')
  expect(await subject.lines('heard', 1)).toEqual(['on'])
  expect(() => signalFirst(first, 'SIGALRM')).toThrow(/does not handle SIGALRM/)
  expect(() => signalFirst(first, 'SIGPIPE')).toThrow(/ignores SIGPIPE/)
})
