import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { V1Volume, V1VolumeMount } from '@kubernetes/client-node'
import type { Store } from '../store.ts'
import { contentOf } from './environment.ts'
import { type Container, NotYet, type Pod } from './pod-spec.ts'

/** Where a volume stands while its container has it. */
export interface Mounted {
  readonly volume: string
  readonly path: string
}

export interface Mounting {
  readonly pod: Pod
  readonly container: Container
  readonly store: Store
  /** The pod's directory; volumes wait in it while no container has them. */
  readonly directory: string
  /** The container's root. */
  readonly root: string
  /** Of the pod's service account. */
  readonly token?: string | undefined
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
    if (volume !== undefined) fill(place, volume, mounting)
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

/** Writes the files of a volume: of a ConfigMap or Secret all its keys, or those that are listed. */
function fill(directory: string, volume: V1Volume, mounting: Mounting): void {
  fillFrom(directory, volume, mounting)
  for (const { configMap, secret, serviceAccountToken } of volume.projected?.sources ?? []) {
    const named = secret && { ...secret, secretName: secret.name ?? '' }
    fillFrom(directory, { ...(configMap && { configMap }), ...(named && { secret: named }) }, mounting)
    if (serviceAccountToken) writeFileSync(join(directory, serviceAccountToken.path), mounting.token ?? '')
  }
}

function fillFrom(
  directory: string,
  { configMap, secret }: Pick<V1Volume, 'configMap' | 'secret'>,
  { pod, store }: Mounting,
): void {
  const source = configMap ?? secret
  if (source === undefined) return
  const named = secret && { ...secret, name: secret.secretName ?? '' }
  const data = contentOf(pod, { configMap, secret: named }, store)
  const items = source.items ?? [...data.keys()].map((key) => ({ key, path: key, mode: undefined }))
  for (const { key, path, mode = source.defaultMode ?? 0o644 } of items) {
    const content = data.get(key)
    const file = join(directory, path)
    mkdirSync(dirname(file), { recursive: true })
    if (content !== undefined) writeFileSync(file, content, { mode })
    else if (source.optional !== true) {
      throw new NotYet('CreateContainerConfigError', `references non-existent config key: ${key}`)
    }
  }
}
