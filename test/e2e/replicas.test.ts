import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { useLab } from './support/cluster.ts'
import { Laptop } from './support/ksync.ts'
import { type Meter, openMeter } from './support/meter.ts'
import { testWith } from './support/place.ts'
import { must } from './support/run.ts'
import { newHome, surroundings } from './support/surroundings.ts'
import { type Listing, listLocal, listRemote } from './support/trees.ts'
import { until } from './support/until.ts'

const MiB = 1024 * 1024
const lab = useLab('replicas')
let laptop: Laptop
let folder: string

beforeAll(() => lab.deploy('demo'))
beforeEach(() => {
  laptop = new Laptop()
  laptop.hasRunInit()
  folder = laptop.folder('folder')
})
afterEach(() => laptop.remove())

/** A remote folder that no test had before. */
let count = 0
const fresh = () => `/folder-${count++}`

async function create(remote: string, ...flags: string[]): Promise<void> {
  await laptop.did('create', '--name', 'it', '-l', 'app=demo', '-n', lab.namespace, ...flags, folder, remote)
}

/** Waits until all pods, or those that are named, hold what the laptop does. */
async function equal(remote: string, pods?: readonly string[]): Promise<void> {
  const look = async () => {
    const all = pods ?? (await lab.pods('demo'))
    return Promise.all(all.map((pod) => listRemote(lab, pod, { path: remote.slice(1) })))
  }
  await until('all hold the same', look, {
    holds: (all: readonly Listing[]) => all.every((one) => one.join() === listLocal(folder).join()),
    every: 300,
  })
}

/** The pods by role, as `get` tells. */
async function byRole(role: string): Promise<string[]> {
  return (await laptop.sessions('it')).filter((one) => one.role === role).map(({ pod }) => pod)
}

async function leaderOf(): Promise<string> {
  const [leader = ''] = await until('somebody leads', () => byRole('leader'), {
    holds: (all) => all.length === 1,
  })
  return leader
}

describe('what they are to each other', () => {
  test('--pods leader: the others are left alone', async () => {
    const remote = fresh()
    writeFileSync(join(folder, 'file'), 'content')
    await laptop.watch()
    await create(remote, '--pods', 'leader')
    await laptop.inSync('it', 1)
    const leader = await leaderOf()
    await equal(remote, [leader])
    const others = (await lab.pods('demo')).filter((pod) => pod !== leader)
    for (const pod of others)
      await expect(lab.sh(pod, `ls ${remote.slice(1)}`)).rejects.toThrow(/No such file/)
  })

  test('--two-way-all: what changes in any of them is here, and in all the others', async () => {
    const remote = fresh()
    writeFileSync(join(folder, 'file'), 'content')
    await laptop.watch()
    await create(remote, '--two-way-all')
    const sessions = await laptop.inSync('it', 3)
    expect(sessions.map(({ role }) => role)).toEqual(['peer', 'peer', 'peer'])
    for (const { pod } of sessions) await lab.sh(pod, `echo ${pod} > ${remote.slice(1)}/from-${pod}`)
    await until('all of it is here', () => readdirSync(folder), { holds: (names) => names.length === 4 })
    await equal(remote)
    await lab.sh(sessions[1]?.pod ?? '', `rm ${remote.slice(1)}/file`)
    await until('it is deleted here', () => readdirSync(folder), { holds: (names) => names.length === 3 })
    await equal(remote)
  })

  test('what a follower changes by itself stays there, and get counts it', async () => {
    const remote = fresh()
    writeFileSync(join(folder, 'file'), 'content')
    await laptop.watch()
    await create(remote)
    await laptop.inSync('it', 3)
    const [follower = ''] = await byRole('follower')
    await lab.sh(follower, `cd ${remote.slice(1)} && echo mine > file && echo mine > more`)
    const said = await until('get says it', () => laptop.did('get'), {
      holds: (text) => text.includes('own'),
    })
    expect(said.split('\n').find((line) => line.includes(follower))).toMatch(/in sync, 2 own changes/)
    expect(said.match(/own/g)).toHaveLength(1)
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('content')
  })
})

describe('what crosses the network', () => {
  const home = newHome()
  let meter: Meter

  beforeEach(async () => {
    await laptop.remove()
    const kubeconfig = join(home, 'metered')
    meter = await openMeter({ from: surroundings.kubeconfig, to: kubeconfig })
    laptop = new Laptop(kubeconfig)
    laptop.hasRunInit()
    folder = laptop.folder('folder')
  })
  afterEach(() => meter.close())
  afterAll(() => rmSync(home, { recursive: true }))

  test('is sent once a node: at first, to a replica that comes later, and an edit', async () => {
    const remote = fresh()
    for (let index = 0; index < 60; index++)
      writeFileSync(join(folder, `file-${index}`), randomBytes(MiB / 10))
    await laptop.watch()
    const began = meter.sent
    await create(remote)
    await laptop.inSync('it', 3)
    await equal(remote)
    const first = meter.sent - began
    expect(first).toBeGreaterThan(6 * MiB)
    expect(first).toBeLessThan(1.5 * 6 * MiB)

    const edited = meter.sent
    for (let index = 0; index < 20; index++)
      writeFileSync(join(folder, `file-${index}`), randomBytes(MiB / 10))
    await equal(remote)
    expect(meter.sent - edited).toBeLessThan(1.5 * 2 * MiB)

    const scaled = meter.sent
    await lab.scale('demo', 5)
    await laptop.inSync('it', 5)
    await equal(remote)
    expect(meter.sent - scaled).toBeLessThan(6 * MiB)
    await lab.scale('demo', 3)
  })
})

describe('as their number changes', () => {
  test('nothing is lost: one, five, two, none and three', async () => {
    const remote = fresh()
    const inside = remote.slice(1)
    mkdirSync(join(folder, 'src'))
    writeFileSync(join(folder, 'src/one'), 'here')
    await lab.scale('demo', 1)
    await laptop.watch()
    await create(remote)
    await laptop.inSync('it', 1)
    await lab.sh(await leaderOf(), `echo there > ${inside}/two`)
    await lab.scale('demo', 5)
    await laptop.inSync('it', 5)
    await equal(remote)
    const [follower = ''] = await byRole('follower')
    await lab.sh(follower, `echo theirs > ${inside}/src/one`)
    writeFileSync(join(folder, 'src/one'), 'ours')
    const conflicts = async () =>
      (await laptop.sessions('it')).flatMap(({ session }) => session?.conflicts ?? [])
    await until('that is a conflict', conflicts, { holds: (all) => all.length === 1 })
    await lab.scale('demo', 2)
    await until('two are left', () => laptop.sessions('it'), { holds: (all) => all.length === 2 })
    writeFileSync(join(folder, 'three'), 'while two are there')
    await lab.scale('demo', 0)
    await until('it waits', () => laptop.spec('it'), { holds: (spec) => spec?.state === 'waiting' })
    expect(await conflicts()).toEqual([])
    writeFileSync(join(folder, 'four'), 'while none is there')
    rmSync(join(folder, 'two'))
    await lab.scale('demo', 3)
    await laptop.inSync('it', 3)
    await equal(remote)
    expect(readdirSync(folder).sort()).toEqual(['four', 'src', 'three'])
    expect(readFileSync(join(folder, 'src/one'), 'utf8')).toBe('ours')
  })

  test('a rollout: the new pods get what is here, and what the leader had done is here', async () => {
    const remote = fresh()
    writeFileSync(join(folder, 'file'), 'content')
    await laptop.watch()
    await create(remote)
    await laptop.inSync('it', 3)
    await lab.sh(await leaderOf(), `echo done > ${remote.slice(1)}/result`)
    await until('it is here', () => readdirSync(folder), { holds: (names) => names.includes('result') })
    await lab.rollOut('demo')
    await laptop.inSync('it', 3)
    await equal(remote)
    expect(readdirSync(folder).sort()).toEqual(['file', 'result'])
  })
})

describe('one that is in trouble', () => {
  const stopped: number[] = []
  afterAll(() => {
    for (const pid of stopped) process.kill(pid, 'SIGCONT')
  })

  testWith('processes')('a mirror that hangs holds up no other, and goes on where it was', async () => {
    const remote = fresh()
    await laptop.watch()
    await create(remote)
    await laptop.inSync('it', 3)
    const [follower = '', other = ''] = await byRole('follower')
    const mirror = mirrorOf(await lab.containerId(follower))
    process.kill(mirror, 'SIGSTOP')
    stopped.push(mirror)
    for (let index = 0; index < 30; index++)
      writeFileSync(join(folder, `file-${index}`), randomBytes(MiB / 4))
    await equal(remote, [await leaderOf(), other])
    expect(await listRemote(lab, follower, { path: remote.slice(1) })).toEqual([])
    process.kill(mirror, 'SIGCONT')
    stopped.pop()
    await equal(remote)
    await laptop.inSync('it', 3)
  })

  testWith('mounts')(
    'a folder without room, and one that is read-only, are problems of their pods alone',
    async () => {
      const remote = fresh()
      const watch = await laptop.watch()
      const pods = await lab.pods('demo')
      const [full = '', readOnly = '', sound = ''] = pods
      const places = await Promise.all(
        [full, readOnly].map(async (pod) => {
          const line = `mkdir ${remote.slice(1)} && cd ${remote.slice(1)} && pwd`
          return (await lab.sh(pod, line)).trim()
        }),
      )
      const [small = '', fixed = ''] = places
      await must('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small])
      await must('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', fixed])
      try {
        await create(remote)
        for (let index = 0; index < 8; index++)
          writeFileSync(join(folder, `file-${index}`), randomBytes(MiB / 2))
        await equal(remote, [sound])
        writeFileSync(join(folder, 'edit'), 'later')
        await equal(remote, [sound])
        const sessions = await until('get says so of both', () => laptop.sessions('it'), {
          holds: (all) =>
            all.some(({ pod, session }) => pod === full && (session?.problems.length ?? 0) > 0) &&
            all.some(({ pod, message }) => pod === readOnly && message !== undefined),
        })
        expect(sessions.find(({ pod }) => pod === sound)?.session).toMatchObject({ problems: [] })
      } finally {
        await watch.end()
        for (const place of places) await must('umount', ['-l', place])
      }
    },
  )
})

/** The process that is the mirror of a container, on this machine. */
function mirrorOf(containerId: string): number {
  const found = readdirSync('/proc').find((pid) => {
    if (!/^\d+$/.test(pid)) return false
    const line = commandLine(pid)
    return line.includes('kubesync.agent mirror') && line.includes(containerId)
  })
  if (found === undefined) throw new Error(`${containerId} has no mirror`)
  return Number(found)
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
