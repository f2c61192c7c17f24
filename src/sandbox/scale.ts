import { selectorText } from './cells.ts'
import type { Context, WriteOptions } from './context.ts'
import { invalid } from './failure.ts'
import { at, isObject, type JsonObject, type KubeObject } from './object.ts'
import { jsonPatch, mergePatch } from './patch.ts'
import type { PatchType } from './patch-request.ts'
import type { ResourceType, ScalePaths } from './resource.ts'
import type { NamedTarget } from './route.ts'
import { invalidValue } from './validate/causes.ts'
import { count, text } from './values.ts'
import { find, replace } from './write.ts'

const builtIn: ScalePaths = { spec: '.spec.replicas', status: '.status.replicas', selector: '.spec.selector' }
const fields = (path: string) => path.split('.').filter((part) => part !== '')

/** What the scale subresource shows of an object: how many there are to be, how many there are. */
export function scaleOf(object: KubeObject, { definition }: ResourceType): KubeObject {
  const { spec, status, selector } = definition?.scale ?? builtIn
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const replicas = count(at(object, ...fields(spec)))
  const selected = selector === undefined ? undefined : at(object, ...fields(selector))
  const shown = isObject(selected) ? selectorText(selected) : text(selected)
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp } as KubeObject['metadata'],
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: count(at(object, ...fields(status))), ...(shown === '' ? {} : { selector: shown }) },
  }
}

/** Scales an object as a Scale that was put or patched says. */
export function rescale(
  context: Context,
  target: NamedTarget,
  change: (scale: KubeObject) => KubeObject,
  options: WriteOptions,
): KubeObject {
  const { type } = target
  const live = find(context, target)
  const scale = change(scaleOf(live, type))
  const replicas = count(at(scale, 'spec', 'replicas'))
  if (replicas < 0) {
    const cause = invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0')
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, live.metadata.name, [cause])
  }
  const path = fields((type.definition?.scale ?? builtIn).spec)
  const { resourceVersion = '', uid = '' } = scale.metadata
  const scaled = withAt(live, path, replicas) as KubeObject
  const next = { ...scaled, metadata: { ...live.metadata, resourceVersion, uid } }
  return scaleOf(replace(context, { target, live, next }, options).object, type)
}

function withAt(value: unknown, [name, ...rest]: readonly string[], leaf: unknown): unknown {
  if (name === undefined) return leaf
  const object: JsonObject = isObject(value) ? value : {}
  return { ...object, [name]: withAt(object[name], rest, leaf) }
}

/** A patch of a Scale; strategic merge patches say the same as merge patches there. */
export function patchedScale(type: PatchType, scale: KubeObject, body: unknown): KubeObject {
  return type === 'json-patch+json' ? jsonPatch(scale, body) : mergePatch(scale, body)
}
