import { operate } from '../operate.ts'
import { find, parsePattern, valueAt } from '../path.ts'
import { isList, isMap, type Json, type JsonMap } from '../value.ts'

const templates = ['spec.template', 'spec.jobTemplate.spec.template']
const lists = [
  ['containers', 'containerStatuses'],
  ['initContainers', 'initContainerStatuses'],
] as const

/**
 * An object with the digests that its running pods report behind its images: `web:1.4` becomes `web:1.4@sha256:…`; and notes of those that
 * stay as they are. A pod counts if it has all labels of the object's template, and a container of that name with that very image: those
 * of an older rollout do not.
 */
export function withDigests(object: JsonMap, pods: readonly JsonMap[]) {
  const notes: string[] = []
  let now: Json = object
  for (const at of templates) {
    const labels = valueAt(object, [...at.split('.'), 'metadata', 'labels'])
    const own = isMap(labels) ? pods.filter((pod) => hasLabels(pod, labels)) : []
    for (const [list, statuses] of lists) {
      for (const path of find(object, parsePattern(`${at}.spec.${list}[*].image`))) {
        const image = valueAt(object, path)
        if (typeof image !== 'string' || image.includes('@')) continue
        const name = valueAt(object, [...path.slice(0, -1), 'name'])
        const ran = new Set(own.flatMap((pod) => digestIn(pod, { list, statuses, name, image })))
        if (ran.size === 1) now = operate(now, [{ op: 'set', path, value: `${image}@${[...ran][0]}` }])
        else notes.push(`${image} stays as it is: ${ran.size === 0 ? unreported : ambiguous}`)
      }
    }
  }
  return { object: isMap(now) ? now : object, notes }
}

const unreported = 'no pod reports its digest'
const ambiguous = 'its pods run different ones of that name'

function hasLabels(pod: JsonMap, labels: JsonMap): boolean {
  return Object.entries(labels).every(([name, value]) => valueAt(pod, ['metadata', 'labels', name]) === value)
}

interface Container {
  readonly list: string
  readonly statuses: string
  readonly name: Json | undefined
  readonly image: string
}

/** What runtimes report: `docker.io/library/web@sha256:…`; an image that was never in a registry has an id alone. */
function digestIn(pod: JsonMap, { list, statuses, name, image }: Container): string[] {
  const named = (path: readonly string[]) => {
    const items = valueAt(pod, path)
    return isList(items) ? items.find((one) => valueAt(one, ['name']) === name) : undefined
  }
  if (valueAt(named(['spec', list]), ['image']) !== image) return []
  const reported = String(valueAt(named(['status', statuses]), ['imageID']) ?? '')
  return /@(sha256:[0-9a-f]{64})$/.exec(reported)?.slice(1) ?? []
}
