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

/** What cannot be followed, and whether because that is not allowed, or not there. */
export interface Unfollowed {
  readonly about: string
  readonly reason: string
  readonly isRefused: boolean
}

/** The cluster, as far as it is followed. */
export interface Following {
  /** Follows these from now on. Resolves when each was listed, or could not be. */
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
  /** Of what was last to be followed. */
  away(): readonly Unfollowed[]
  close(): void
}

/** Called when an object, or what is known of a collection, changed. */
type OnChange = (before?: JsonMap, now?: JsonMap) => void

/** Of a collection: what is there, as far as that is known. */
interface Follower {
  /** By name. */
  readonly objects: Map<string, JsonMap>
  /** Those that were there at the first look, by uid; undefined before that. */
  old: ReadonlySet<unknown> | undefined
  /** Whether all is known. */
  isCurrent: boolean
  error: Omit<Unfollowed, 'about'> | undefined
}

const keyOf = ({ type, namespace }: Extent) =>
  `${type.apiVersion}/${type.plural} ${type.namespaced ? (namespace ?? '') : ''}`

export function openFollowing(client: KubeClient, onChange: OnChange): Following {
  const end = new AbortController()
  const followers = new Map<string, { readonly follower: Follower; readonly looked: Promise<void> }>()
  let wanted = new Map<string, Extent>()
  const of = (extent: Extent) => followers.get(keyOf(extent))?.follower
  return {
    async follow(extents) {
      wanted = new Map(extents.map((extent) => [keyOf(extent), extent]))
      for (const [key, extent] of wanted) {
        if (followers.has(key)) continue
        const follower: Follower = { objects: new Map(), old: undefined, isCurrent: false, error: undefined }
        const looked = new Promise<void>((resolve) => {
          const changed: OnChange = (...change) => {
            if (follower.isCurrent || follower.error !== undefined) resolve()
            onChange(...change)
          }
          void run(client, { extent, follower, end: end.signal }, changed)
        })
        followers.set(key, { follower, looked })
      }
      await Promise.all([...wanted.keys()].map((key) => followers.get(key)?.looked))
    },
    find(extent, name) {
      const follower = of(extent)
      return follower?.isCurrent === true ? { object: follower.objects.get(name) } : undefined
    },
    isRefused: (extent) => of(extent)?.error?.isRefused === true,
    made(extent) {
      const { isCurrent, objects, old } = of(extent) ?? {}
      return isCurrent === true
        ? [...(objects?.values() ?? [])].filter((one) => old?.has(uidOf(one)) === false)
        : []
    },
    all: (extent) => [...(of(extent)?.objects.values() ?? [])],
    saw: (extent, object) => put(of(extent)?.objects ?? new Map(), object),
    away: () =>
      [...wanted.keys()].flatMap((about) => {
        const error = followers.get(about)?.follower.error
        return error === undefined ? [] : [{ about, ...error }]
      }),
    close: () => end.abort(),
  }
}

interface Run {
  readonly extent: Extent
  readonly follower: Follower
  readonly end: AbortSignal
}

async function run(client: KubeClient, { extent, follower, end }: Run, changed: OnChange): Promise<void> {
  const { apiVersion, plural, namespaced } = extent.type
  const namespace = namespaced ? extent.namespace : undefined
  const path = await client.path({ apiVersion, plural, namespace })
  while (!end.aborted) {
    const again = new AbortController()
    await reflect(client, { path, signal: AbortSignal.any([end, again.signal]) }, (event) => {
      if (event.type !== 'state' && event.type !== 'synced') return changed(...take(follower, event))
      const wasAway = follower.error !== undefined
      note(follower, event)
      // What happened meanwhile comes, but nobody says when it has come: all is listed again.
      if (wasAway && follower.error === undefined && follower.old !== undefined) again.abort()
      changed()
    })
  }
}

type Told = ReflectEvent<KubeObject>

function note(follower: Follower, event: Extract<Told, { type: 'state' | 'synced' }>): void {
  if (event.type === 'synced') {
    follower.objects.clear()
    for (const item of event.items) put(follower.objects, asMap(item))
    follower.old ??= new Set(event.items.map((item) => uidOf(asMap(item))))
    follower.isCurrent = true
  } else if (event.state === 'connected') {
    follower.error = undefined
  } else {
    const { error } = event
    const isRefused = error instanceof ApiError && [403, 404, 405].includes(error.status.code)
    follower.error = { reason: error.message, isRefused }
    follower.isCurrent = false
  }
}

function take(
  { objects }: Follower,
  { type, object }: Exclude<Told, { type: 'state' | 'synced' }>,
): [before: JsonMap | undefined, now: JsonMap | undefined] {
  const now = asMap(object)
  const before = objects.get(nameIn(now))
  if (type !== 'deleted') put(objects, now)
  else if (uidOf(before) === uidOf(now)) objects.delete(nameIn(now))
  return [before, objects.get(nameIn(now))]
}

/** Versions are numbers wherever etcd keeps them; where they are not, what is told last is the newest. */
function put(objects: Map<string, JsonMap>, object: JsonMap): void {
  const [before, now] = [objects.get(nameIn(object)), object].map((one) =>
    Number(valueAt(one, ['metadata', 'resourceVersion'])),
  )
  if (before === undefined || now === undefined || !(now < before)) objects.set(nameIn(object), object)
}

const nameIn = (object: JsonMap) => String(valueAt(object, ['metadata', 'name']))
const uidOf = (object: JsonMap | undefined) => valueAt(object, ['metadata', 'uid'])
