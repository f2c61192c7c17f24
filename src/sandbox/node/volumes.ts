import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { V1KeyToPath, V1Volume, V1VolumeMount, V1VolumeProjection } from '@kubernetes/client-node'
import type { Store } from '../store.ts'
import { ConfigError, dataOf, fieldOf } from './environment.ts'
import type { Container, Pod } from './pod-spec.ts'

/** Where a volume stands while its container has it. */
export interface Mounted {
  readonly volume: string
  readonly path: string
}

interface Mounting {
  readonly pod: Pod
  readonly container: Container
  readonly store: Store
  /** The pod's directory; volumes wait in it while no container has them. */
  readonly directory: string
  /** The container's root. */
  readonly root: string
}

/**
 * Moves the volumes of a container below its root, outer ones first. An emptyDir is the same directory in every
 * container that has it, one after the other; all other volumes are written anew.
 */
export function mount(mounting: Mounting): Mounted[] {
  return mountsOf(mounting.container).map(({ name, mountPath }) => {
    const place = placeOf(mounting, name)
    const volume = mounting.pod.spec.volumes?.find((each) => each.name === name)
    if (volume?.emptyDir === undefined) rmSync(place, { recursive: true, force: true })
    mkdirSync(place, { recursive: true })
    for (const file of volume === undefined ? [] : filesOf(volume, mounting)) writeInto(place, file)
    const path = join(mounting.root, mountPath)
    mkdirSync(dirname(path), { recursive: true })
    renameSync(place, path)
    return { volume: name, path }
  })
}

/** Moves them back, inner ones first. */
export function unmount(mounting: Mounting): void {
  for (const { name, mountPath } of mountsOf(mounting.container).reverse()) {
    const path = join(mounting.root, mountPath)
    if (existsSync(path)) renameSync(path, placeOf(mounting, name))
  }
}

function mountsOf({ volumeMounts = [] }: Container): V1VolumeMount[] {
  return [...volumeMounts].sort((a, b) => a.mountPath.split('/').length - b.mountPath.split('/').length)
}

/** Two containers may have the same ConfigMap at once: each has its own copy. */
function placeOf({ pod, container, directory }: Mounting, name: string): string {
  const shared = pod.spec.volumes?.find((volume) => volume.name === name)?.emptyDir !== undefined
  const place = join(directory, 'volumes', shared ? '' : container.name)
  mkdirSync(place, { recursive: true })
  return join(place, name)
}

interface File {
  readonly path: string
  readonly content: string | Buffer
  readonly mode: number | undefined
}

function writeInto(directory: string, { path, content, mode = 0o644 }: File): void {
  const file = join(directory, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content, { mode })
}

function filesOf(volume: V1Volume, { pod, store }: Mounting): File[] {
  const { configMap, secret, downwardAPI, projected } = volume
  const defaultMode = (configMap ?? secret ?? downwardAPI ?? projected)?.defaultMode
  const named = secret && { ...secret, name: secret.secretName ?? '' }
  const sources: V1VolumeProjection[] = projected?.sources ?? [
    { ...(configMap && { configMap }), ...(named && { secret: named }), ...(downwardAPI && { downwardAPI }) },
  ]
  const files = sources.flatMap((source) => [
    ...picked(dataOf(store, pod, 'configmaps', source.configMap), source.configMap),
    ...picked(dataOf(store, pod, 'secrets', source.secret), source.secret),
    ...(source.downwardAPI?.items ?? []).map(({ path, fieldRef, mode }) => ({
      ...{ path, mode },
      content: fieldRef === undefined ? '' : fieldOf(pod, fieldRef),
    })),
  ])
  return files.map((file) => ({ ...file, mode: file.mode ?? defaultMode }))
}

/** The files of a ConfigMap or Secret: all its keys, or those that are listed. */
function picked(
  data: Record<string, Buffer> = {},
  { items, optional }: { items?: V1KeyToPath[]; optional?: boolean } = {},
): File[] {
  if (items === undefined) {
    return Object.entries(data).map(([path, content]) => ({ path, content, mode: undefined }))
  }
  return items.flatMap(({ key, path, mode }) => {
    const content = data[key]
    if (content !== undefined) return [{ path, content, mode }]
    if (optional === true) return []
    throw new ConfigError(`references non-existent config key: ${key}`)
  })
}
