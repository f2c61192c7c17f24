import { KubesyncError } from '../../errors.ts'
import { describePath } from '../diff/compare.ts'
import type { Wish } from '../diff/take.ts'
import { type Facts, remoteOf } from '../plan/make.ts'
import { fieldAt, made } from '../plan/outcome.ts'
import { isMap, type Json, type JsonMap } from '../value.ts'
import { parseYaml } from '../yaml/parse.ts'
import { chooseContainers, containersOf } from './containers.ts'
import { type Aim, parseField, type Step, wishAt } from './field.ts'

/** What a person asks to have changed in an object. */
export interface Asked {
  /** `[CONTAINER=]IMAGE` */
  readonly images: readonly string[]
  /** `PATH=VALUE`; `PATH=null` takes it away. */
  readonly fields: readonly string[]
  /** `NAME=VALUE`; `NAME-` takes it away. */
  readonly env: readonly string[]
  readonly replicas: number | undefined
  /** By `limits` or `requests`: `cpu=1,memory=1Gi`; a resource without a value, or 0, is taken away. */
  readonly resources: Readonly<Record<'limits' | 'requests', string | undefined>>
  /** Whose env and resources are meant. */
  readonly container: string | undefined
}

/** What is wished for, and what is said about it. */
export interface Asking {
  readonly wishes: readonly Wish[]
  readonly notes: readonly string[]
}

/** What is asked for, as wishes about this object. Throws a KubesyncError where it cannot be meant. */
export function wishesFor(facts: Facts, asked: Asked): Asking {
  const remote = remoteOf(facts)
  let object = facts.local ?? remote
  if (object === undefined) return { wishes: [], notes: [] }
  const notes: string[] = []
  const wishes = new Map<string, Wish>()
  for (const aim of aimsOf(object, asked, notes)) {
    const wish = wishAt(object, facts.shape, aim)
    checkItems(wish, { file: facts.local, cluster: remote }, facts)
    object = made(object, [wish], facts.shape)
    wishes.set(describePath(wish.path), wish)
  }
  return { wishes: [...wishes.values()], notes }
}

function aimsOf(object: JsonMap, asked: Asked, notes: string[]): Aim[] {
  return [
    ...asked.images.flatMap((text) => imageAims(object, text)),
    ...(asked.replicas === undefined ? [] : [scaleAim(object, asked.replicas)]),
    ...resourceAims(object, asked),
    ...envAims(object, asked, notes),
    ...asked.fields.map(fieldAim),
  ]
}

function imageAims(object: JsonMap, text: string): Aim[] {
  const at = text.indexOf('=')
  const [name, image] = at === -1 ? [undefined, text] : [text.slice(0, at), text.slice(at + 1)]
  if (image === '' || /\s/.test(image)) throw new KubesyncError('USAGE', `\`${text}\` names no image`)
  return chooseContainers(object, name, '--image CONTAINER=IMAGE').map(({ steps }) => ({
    steps: [...steps, 'image'],
    value: () => image,
  }))
}

const scalable = new Set(['Deployment', 'ReplicaSet', 'StatefulSet', 'ReplicationController'])

function scaleAim(object: JsonMap, replicas: number): Aim {
  if (!isScalable(object)) throw new KubesyncError('NO_SUCH_FIELD', `a ${object.kind} has no replicas`)
  return { steps: ['spec', 'replicas'], value: () => replicas }
}

function isScalable({ spec, kind }: JsonMap): boolean {
  return scalable.has(String(kind)) || (isMap(spec) && spec.replicas !== undefined)
}

function resourceAims(object: JsonMap, { resources, container }: Asked): Aim[] {
  return (['limits', 'requests'] as const).flatMap((what) => {
    const text = resources[what]
    if (text === undefined) return []
    const containers = chooseContainers(object, container, '--container NAME')
    return text.split(',').flatMap((pair) => {
      const match = /^([^=\s]+)=(\S*)$/.exec(pair)
      if (match === null)
        throw new KubesyncError('USAGE', `\`${pair}\` is no amount`, { hint: 'write it like cpu=500m' })
      const [, name = '', amount = ''] = match
      return containers.map(({ steps }) => ({
        steps: [...steps, 'resources', what, name],
        value: () => (amount === '' || amount === '0' ? undefined : amount),
      }))
    })
  })
}

function envAims(object: JsonMap, { env, container }: Asked, notes: string[]): Aim[] {
  if (env.length === 0) return []
  return chooseContainers(object, container, '--container NAME').flatMap(({ steps, name }) =>
    env.flatMap((text): Aim[] => {
      const match = /^([^=\s]+?)(?:=([\s\S]*)|-)$/.exec(text)
      if (match === null) {
        throw new KubesyncError('USAGE', `\`${text}\` is no variable`, {
          hint: 'write it like NAME=value, or NAME- to take it away',
        })
      }
      const [, variable = '', value] = match
      const item: Step[] = [...steps, 'env', { where: { name: variable } }]
      const now = valueAlong(object, item)
      if (isMap(now) && now.valueFrom !== undefined) {
        notes.push(`${variable} of ${name} stays: it comes from somewhere else (valueFrom)`)
        return []
      }
      if (value === undefined && now === undefined) notes.push(`${name} has no variable ${variable}`)
      if (value === undefined) return [{ steps: item, value: () => undefined }]
      return [{ steps: [...item, 'value'], value: () => value }]
    }),
  )
}

/** What is at a way now. */
function valueAlong(object: JsonMap, steps: readonly Step[]): Json | undefined {
  return steps.reduce<Json | undefined>((value, step) => {
    if (typeof step === 'string') return isMap(value) ? value[step] : undefined
    if (!Array.isArray(value)) return undefined
    if (typeof step === 'number') return value[step]
    return value.find((item: Json) => isMap(item) && item.name === step.where.name)
  }, object)
}

/** Maps whose values are texts, whatever they look like. */
const texts = new Set([
  ...['labels', 'annotations', 'matchLabels', 'nodeSelector'],
  ...['data', 'stringData', 'binaryData'],
])

function fieldAim(text: string): Aim {
  // Behind the last bracket: `[name=web]` has one of its own.
  const match = /^((?:\[[^\]]*\]|\\.|[^=[\\])+)=([\s\S]*)$/.exec(text)
  if (match === null)
    throw new KubesyncError('USAGE', `\`${text}\` says no value`, { hint: 'write it like spec.replicas=3' })
  const [, path = '', said = ''] = match
  const steps = parseField(path)
  const isName = ['apiVersion', 'kind', 'metadata.name', 'metadata.namespace'].includes(steps.join('.'))
  if (isName || steps[0] === 'status') {
    const why = isName ? 'is what an object is called' : 'is what the cluster says of an object'
    throw new KubesyncError('USAGE', `${path} ${why}: it cannot be set`)
  }
  const parent = steps.at(-2)
  const isText = typeof parent === 'string' && texts.has(parent)
  return { steps, value: (now) => readValue(said, isText || typeof now === 'string') }
}

/** A value as Kubernetes reads YAML; a field that is a text stays one. */
function readValue(said: string, isText: boolean): Json | undefined {
  if (said === '') return ''
  const [document, ...more] = parseYaml(said)
  const problem = document?.problems[0]
  if (document === undefined || more.length > 0 || problem !== undefined) {
    if (isText) return said
    throw new KubesyncError(
      'USAGE',
      `\`${said}\` is no value: ${problem?.message ?? 'it has several documents'}`,
    )
  }
  if (document.value === null) return undefined
  return isText && typeof document.value !== 'object' ? said : document.value
}

interface Sides {
  readonly file: JsonMap | undefined
  readonly cluster: JsonMap | undefined
}

/** An item that only one side has would become a new one, of these fields alone, on the other. */
function checkItems({ path }: Wish, { file, cluster }: Sides, { shape }: Facts): void {
  if (file === undefined || cluster === undefined) return
  for (const [index, step] of path.entries()) {
    if (typeof step === 'string') continue
    const way = path.slice(0, index + 1)
    const [here, there] = [fieldAt(file, way, shape), fieldAt(cluster, way, shape)]
    if ((here === undefined) === (there === undefined)) continue
    const isEnv = path[index - 1] === 'env'
    if (isEnv) continue
    const [has, lacks] = here === undefined ? ['the cluster', 'the file'] : ['the file', 'the cluster']
    throw new KubesyncError('DIFFERENT_ITEMS', `${describePath(way)} is in ${has} and not in ${lacks}`, {
      hint: 'push or pull it first, so that both are about the same',
    })
  }
}

/** Whether what is asked for may be meant for an object of this kind. */
export function suits(object: JsonMap, { images, env, resources, replicas }: Asked): boolean {
  const isPods = [...images, ...env].length > 0 || Object.values(resources).some((one) => one !== undefined)
  if (isPods) return containersOf(object).length > 0
  return replicas === undefined || isScalable(object)
}
