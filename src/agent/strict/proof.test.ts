import { describe, expect, onTestFinished, test } from 'vitest'
import { duplexPair } from '../../wire/duplex-pair.ts'
import { writeMessage } from '../../wire/messages.ts'
import { type Channel, Mux } from '../../wire/mux.ts'
import { greeting, open } from '../converse.ts'
import { newMirrors } from '../mirrors.ts'
import { serveNode } from '../node.ts'
import {
  challengeSchema,
  helloSchema,
  type Opened,
  openedSchema,
  type ProveRequest,
  parseJson,
} from '../protocol.ts'
import { annotationFor } from './annotation.ts'
import { newProofs } from './proof.ts'

const mine = { pod: { namespace: 'a', name: 'web', uid: 'uid-a' }, containerId: 'containerd://aaaaaaaaaaaa' }
const theirs = 'containerd://bbbbbbbbbbbb'

/** An API server that has one pod, whose annotations a test writes, and a strict agent that asks it. */
function world({ status = [mine.containerId], uid = 'uid-a', cgroupUid, isThere = true }: World = {}) {
  const annotations: Record<string, string> = {}
  const asked: unknown[] = []
  const readPod = async (pod: ProveRequest['pod']) => {
    asked.push(pod)
    if (!isThere) return undefined
    const containerStatuses = status.map((containerID) => ({ containerID }))
    return { metadata: { uid, annotations: { ...annotations } }, status: { containerStatuses } }
  }
  const connect = () => {
    const [here, there] = duplexPair()
    const proofs = newProofs({ readPod, podUidOf: () => cgroupUid })
    void serveNode(there, { view: 'node', mirrors: newMirrors(undefined), proofs })
    const mux = new Mux(here, { role: 'client' })
    onTestFinished(() => void mux.close())
    return mux
  }
  return { annotations, asked, connect }
}

interface World {
  /** The containers that the pod's status names. */
  readonly status?: readonly string[]
  readonly uid?: string
  readonly isThere?: boolean
  /** Whose pod the container is by its cgroup. */
  readonly cgroupUid?: string
}

async function challenge(mux: Mux, request: Omit<ProveRequest, 'type'> = mine) {
  const channel = open(mux, { type: 'prove', ...request })
  return { channel, ...parseJson(challengeSchema, await greeting(channel)) }
}

async function answer(channel: Channel): Promise<Opened> {
  await writeMessage(channel, new Uint8Array(1))
  return parseJson(openedSchema, await greeting(channel))
}

/** What the agent says to the opening of a folder. That there is no such container is the answer to who proved a right. */
async function sync(mux: Mux, containerId = mine.containerId): Promise<string> {
  const channel = open(mux, { type: 'replica', containerId, path: '/app', create: false })
  const opened = parseJson(openedSchema, await greeting(channel))
  return opened.ok ? 'ok' : opened.code
}

const refused = { ok: false, code: 'NOT_PROVED' }
const served = 'CONTAINER_GONE'

test('who proves a right on the pod is served, and everybody may say hello', async () => {
  const { annotations, connect } = world()
  const mux = connect()
  Reflect.set(globalThis, Symbol.for('kubesync.agent'), Buffer.from('the code'))
  expect(parseJson(helloSchema, await greeting(open(mux, { type: 'hello' }))).digest).toMatch(
    /^[0-9a-f]{64}$/,
  )
  const { channel, nonce } = await challenge(mux)
  annotations[annotationFor(nonce)] = nonce
  expect(await answer(channel)).toEqual({ ok: true })
  expect(await sync(mux)).toBe(served)
})

describe('nothing is done for who', () => {
  test('proves nothing', async () => {
    expect(await sync(world().connect())).toBe('NOT_PROVED')
  })

  test('says to have written the proof, and has not', async () => {
    const mux = world().connect()
    const { channel } = await challenge(mux)
    expect(await answer(channel)).toMatchObject(refused)
    expect(await sync(mux)).toBe('NOT_PROVED')
  })

  test('asks for another container than that of the proof', async () => {
    const { annotations, connect } = world()
    const mux = connect()
    const { channel, nonce } = await challenge(mux)
    annotations[annotationFor(nonce)] = nonce
    await answer(channel)
    expect(await sync(mux, theirs)).toBe('NOT_PROVED')
  })

  test('proves a right on a pod that the container is not of', async () => {
    const { annotations, connect } = world()
    const mux = connect()
    const { channel, nonce } = await challenge(mux, { ...mine, containerId: theirs })
    annotations[annotationFor(nonce)] = nonce
    expect(await answer(channel)).toMatchObject(refused)
    expect(await sync(mux, theirs)).toBe('NOT_PROVED')
  })

  test('had the pod’s status say that another’s container is its own', async () => {
    const { annotations, connect } = world({ status: [theirs], cgroupUid: 'uid-b' })
    const mux = connect()
    const { channel, nonce } = await challenge(mux, { ...mine, containerId: theirs })
    annotations[annotationFor(nonce)] = nonce
    expect(await answer(channel)).toMatchObject(refused)
  })

  test('asks about a pod to learn whether it is there', async () => {
    const said = await Promise.all(
      [true, false].map(async (isThere) => answer((await challenge(world({ isThere }).connect())).channel)),
    )
    expect(said[0]).toEqual(said[1])
    expect(said[0]).toMatchObject(refused)
  })

  test('means a pod that was replaced by another of its name', async () => {
    const { annotations, connect } = world({ uid: 'uid-later' })
    const { channel, nonce } = await challenge(connect())
    annotations[annotationFor(nonce)] = nonce
    expect(await answer(channel)).toMatchObject(refused)
  })

  test('reads somebody else’s proof in the pod, and shows it as his own', async () => {
    const { annotations, connect } = world()
    const [honest, thief] = [connect(), connect()]
    const first = await challenge(honest)
    annotations[annotationFor(first.nonce)] = first.nonce
    const second = await challenge(thief)
    expect(await answer(second.channel)).toMatchObject(refused)
    expect(await answer(first.channel)).toEqual({ ok: true })
    expect(await sync(thief)).toBe('NOT_PROVED')
  })

  test('proved it on an earlier connection: a proof is not good for a second one', async () => {
    const { annotations, connect } = world()
    const { channel, nonce } = await challenge(connect())
    annotations[annotationFor(nonce)] = nonce
    await answer(channel)
    const later = connect()
    expect(await sync(later)).toBe('NOT_PROVED')
    expect(await answer((await challenge(later)).channel)).toMatchObject(refused)
  })

  test.each(['../../../api/v1/secrets', 'a/b', 'A', ''])('names a pod by a path, %j', async (name) => {
    const { asked, connect } = world()
    const channel = open(connect(), { type: 'prove', ...mine, pod: { ...mine.pod, name } })
    expect(parseJson(openedSchema, await greeting(channel))).toMatchObject({ ok: false })
    expect(asked).toEqual([])
  })
})
