import { expect, onTestFinished } from 'vitest'
import { type ReflectEvent, reflect } from '../reflector.ts'
import type { KubeObject } from '../resource.ts'
import { Collection } from './collection.ts'
import { startServer, type TestServer } from './server.ts'

export const path = '/api/v1/things'

/** Somebody who follows a collection and writes down what is told. */
export class Follower {
  readonly told: string[] = []
  readonly events: ReflectEvent<KubeObject>[] = []
  /** What the events add up to. */
  readonly objects = new Map<string, KubeObject>()
  readonly #waiting = new Set<() => void>()

  readonly listen = (event: ReflectEvent<KubeObject>): void => {
    this.events.push(event)
    this.told.push(describeEvent(event))
    this.#add(event)
    for (const check of this.#waiting) check()
  }

  /** Resolves as soon as it holds, at the latest after the next event. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!holds()) return
        this.#waiting.delete(check)
        resolve()
      }
      this.#waiting.add(check)
      check()
    })
  }

  /** Insists that each event can follow those before. */
  #add(event: ReflectEvent<KubeObject>): void {
    if (event.type === 'state') return
    if (event.type === 'synced') {
      expect(this.objects.size).toBe(0)
      for (const object of event.items) this.objects.set(nameOf(object), object)
      return
    }
    const { type, object } = event
    const before = this.objects.get(nameOf(object))
    expect(before === undefined).toBe(type === 'added')
    if (type !== 'added') expect(before?.metadata?.uid).toBe(object.metadata?.uid)
    if (type === 'modified') expect(versionOf(object)).toBeGreaterThan(versionOf(before))
    if (type === 'deleted') this.objects.delete(nameOf(object))
    else this.objects.set(nameOf(object), object)
  }
}

function nameOf(object: KubeObject): string {
  return object.metadata?.name ?? ''
}

export function versionOf(object: KubeObject | undefined): number {
  return Number(object?.metadata?.resourceVersion)
}

export function describeEvent(event: ReflectEvent<KubeObject>): string {
  if (event.type === 'state') return event.state
  if (event.type === 'synced') return `synced ${event.items.map(nameOf).sort().join(' ')}`.trim()
  return `${event.type} ${nameOf(event.object)}`
}

export interface Scene {
  server: TestServer
  things: Collection
  follower: Follower
  abort: AbortController
  ended: Promise<void>
}

/** A server with these things, and somebody who follows them and knows them all. */
export async function following(names: readonly string[]): Promise<Scene> {
  const server = await startServer()
  const things = new Collection()
  server.handle(things.handle)
  for (const name of names) things.put(name)
  const follower = new Follower()
  const abort = new AbortController()
  const client = await server.client()
  const ended = reflect(client, { path, signal: abort.signal }, follower.listen)
  onTestFinished(async () => {
    abort.abort()
    await ended.catch(() => undefined)
  })
  await until(() => things.watches === 1)
  return { server, things, follower, abort, ended }
}

/** For what the server sees and nobody is told. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}
