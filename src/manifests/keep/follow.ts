import type { KubeClient } from '../../kube/client.ts'
import { ApiError } from '../../kube/errors.ts'
import { type ReflectEvent, reflect } from '../../kube/reflector.ts'
import type { KubeObject } from '../../kube/resource.ts'
import type { ResourceType } from '../../kube/resource-type.ts'
import { asMap } from '../live/fetch.ts'
import { valueAt } from '../path.ts'
import type { JsonMap } from '../value.ts'

/** The objects of a type in a namespace; in all, where it has none. */
export interface Extent {
  readonly type: ResourceType
  readonly namespace: string | undefined
}

/** Of a collection: what is there, as far as that is known at the moment. */
interface Follower {
  /** By name. */
  readonly objects: Map<string, JsonMap>
  /** Those that were there at the first look, by uid. */
  readonly old: Set<unknown>
  /** `current`: all is known. `coming`: it was not listed since the connection was lost, or ever. */
  state: 'coming' | 'current'
  error: { readonly reason: string; readonly isRefused: boolean } | undefined
  stop(): void
}

/** What cannot be followed, and whether because that is not allowed. */
export interface Unfollowed {
  readonly about: string
  readonly reason: string
  readonly isRefused: boolean
}

/** The cluster, as far as it is followed. */
export interface Following {
  /** Follows these and no others. Resolves when each was listed, or could not be. */
  follow(extents: readonly Extent[]): Promise<void>
  /** Undefined where nobody knows at the moment; `object` is undefined where there is none. */
  find(extent: Extent, name: string): { readonly object: JsonMap | undefined } | undefined
  /** Whether it may not be looked at: nobody has to wait for it. */
  isRefused(extent: Extent): boolean
  /** What was made of a type since it is followed. */
  made(extent: Extent): readonly JsonMap[]
  /** All that is known. */
  all(extent: Extent): readonly JsonMap[]
  /** What a write answered: it may be told of much later, and what was before it even after. */
  saw(extent: Extent, object: JsonMap): void
  away(): readonly Unfollowed[]
  close(): void
}

const keyOf = ({ type, namespace }: Extent) =>
  `${type.apiVersion}/${type.plural} ${type.namespaced ? (namespace ?? '') : ''}`

/**
 * @param onChange called when an object, or what is known of a collection, changed.
 */
export function openFollowing(
  client: KubeClient,
  onChange: (before?: JsonMap, now?: JsonMap) => void,
): Following {
  const followers = new Map<string, Follower & { readonly looked: Promise<void> }>()
  const of = (extent: Extent) => followers.get(keyOf(extent))
  return {
    async follow(extents) {
      const wanted = new Map(extents.map((extent) => [keyOf(extent), extent]))
      for (const [key, follower] of followers) {
        if (wanted.has(key)) continue
        follower.stop()
        followers.delete(key)
      }
      for (const [key, extent] of wanted)
        if (!followers.has(key)) followers.set(key, followOne(client, extent, onChange))
      await Promise.all([...followers.values()].map(({ looked }) => looked))
    },
    find(extent, name) {
      const follower = of(extent)
      return follower?.state === 'current' ? { object: follower.objects.get(name) } : undefined
    },
    isRefused: (extent) => of(extent)?.error?.isRefused === true,
    made(extent) {
      const follower = of(extent)
      if (follower?.state !== 'current') return []
      return [...follower.objects.values()].filter((object) => !follower.old.has(uidOf(object)))
    },
    all: (extent) => [...(of(extent)?.objects.values() ?? [])],
    saw(extent, object) {
      const follower = of(extent)
      if (follower !== undefined) put(follower, object)
    },
    away: () =>
      [...followers].flatMap(([about, { error }]) => (error === undefined ? [] : [{ about, ...error }])),
    close() {
      for (const follower of followers.values()) follower.stop()
    },
  }
}

function followOne(client: KubeClient, extent: Extent, onChange: (before?: JsonMap, now?: JsonMap) => void) {
  const follower: Follower = {
    objects: new Map(),
    old: new Set(),
    state: 'coming',
    error: undefined,
    stop() {},
  }
  const end = new AbortController()
  let stop = new AbortController()
  let looked = () => {}
  const first = new Promise<void>((resolve) => {
    looked = resolve
  })
  let isFirst = true
  const listen = (event: ReflectEvent<KubeObject>) => {
    if (event.type === 'synced') {
      synced(
        follower,
        event.items.map((item) => asMap(item)),
        isFirst,
      )
      isFirst = false
      looked()
      return onChange()
    }
    if (event.type !== 'state') {
      const object = asMap(event.object)
      return onChange(...take(follower, event.type, object))
    }
    if (event.state === 'disconnected') {
      const { error } = event
      const isRefused = error instanceof ApiError && [401, 403, 404, 405].includes(error.status.code)
      follower.error = { reason: error.message, isRefused }
      follower.state = 'coming'
      looked()
    } else if (follower.error !== undefined) {
      follower.error = undefined
      // What happened meanwhile comes, but nobody says when it has come: all is listed again.
      if (!isFirst) stop.abort()
    }
    onChange()
  }
  const run = async () => {
    const { apiVersion, plural, namespaced } = extent.type
    const path = await client.path({
      apiVersion,
      plural,
      namespace: namespaced ? extent.namespace : undefined,
    })
    while (!end.signal.aborted) {
      stop = new AbortController()
      await reflect(client, { path, signal: AbortSignal.any([end.signal, stop.signal]) }, listen)
    }
  }
  follower.stop = () => end.abort()
  void run()
  return Object.assign(follower, { looked: first })
}

function synced(follower: Follower, items: readonly JsonMap[], isFirst: boolean): void {
  follower.objects.clear()
  for (const object of items) {
    follower.objects.set(nameIn(object), object)
    if (isFirst) follower.old.add(uidOf(object))
  }
  follower.state = 'current'
}

function take(
  follower: Follower,
  type: 'added' | 'modified' | 'deleted',
  object: JsonMap,
): [before: JsonMap | undefined, now: JsonMap | undefined] {
  const before = follower.objects.get(nameIn(object))
  if (type !== 'deleted') put(follower, object)
  else if (uidOf(before) === uidOf(object)) follower.objects.delete(nameIn(object))
  return [before, follower.objects.get(nameIn(object))]
}

function put(follower: Follower, object: JsonMap): void {
  const before = follower.objects.get(nameIn(object))
  if (before !== undefined && isOlder(object, before)) return
  follower.objects.set(nameIn(object), object)
}

/** Versions are numbers wherever etcd keeps them; where they are not, what is told last is the newest. */
function isOlder(one: JsonMap, other: JsonMap): boolean {
  const [a, b] = [one, other].map((object) => Number(valueAt(object, ['metadata', 'resourceVersion'])))
  return a !== undefined && b !== undefined && a < b
}

const nameIn = (object: JsonMap) => String(valueAt(object, ['metadata', 'name']))
const uidOf = (object: JsonMap | undefined) => valueAt(object, ['metadata', 'uid'])
