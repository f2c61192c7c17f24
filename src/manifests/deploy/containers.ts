import { KubesyncError } from '../../errors.ts'
import { find, parsePattern, valueAt } from '../path.ts'
import { isList, isMap, type JsonMap, type Path } from '../value.ts'
import type { Step } from './field.ts'

/** A container of an object's pods, and the way to it. */
export interface Container {
  readonly name: string
  readonly steps: readonly Step[]
  readonly isInit: boolean
}

/** The containers of a pod, or of the pod templates that an object of any kind has. */
export function containersOf(object: JsonMap): Container[] {
  const templates = find(object, parsePattern('**.template.spec'))
  const specs = object.kind === 'Pod' ? [['spec'], ...templates] : templates
  return specs.flatMap((spec) => [
    ...listed(object, [...spec, 'containers']),
    ...listed(object, [...spec, 'initContainers']),
  ])
}

function listed(object: JsonMap, path: Path): Container[] {
  const list = valueAt(object, path)
  return (isList(list) ? list : []).filter(isMap).flatMap(({ name }) => {
    if (typeof name !== 'string') return []
    return [{ name, steps: [...path, { where: { name } }], isInit: path.at(-1) === 'initContainers' }]
  })
}

/**
 * The container that is meant by a name, or without one the only one there is that is no init container; `*` means all of them. Throws
 * NO_CONTAINER, which lists what there is.
 */
export function chooseContainers(object: JsonMap, name: string | undefined, flag: string): Container[] {
  const all = containersOf(object)
  if (all.length === 0) throw new KubesyncError('NO_CONTAINER', `a ${object.kind} has no containers`)
  const main = all.filter(({ isInit }) => !isInit)
  if (name === '*') return main
  const fits = name === undefined ? main : all.filter((one) => one.name === name)
  if (fits.length === 1) return fits
  const names = all.map((one) => one.name + (one.isInit ? ' (init)' : '')).join(', ')
  if (fits.length > 1 && name !== undefined) {
    throw new KubesyncError('NO_CONTAINER', `several of its containers are called ${name}`, {
      hint: 'say which one with --set and its path',
    })
  }
  const why = name === undefined ? 'it has several containers' : `it has no container \`${name}\``
  throw new KubesyncError('NO_CONTAINER', `${why}: ${names}`, { hint: `name one of them: ${flag}` })
}
