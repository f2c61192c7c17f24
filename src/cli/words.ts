import type { Spec } from '../config/spec.ts'
import { writesTo } from '../files/mode.ts'

/** Which pods a spec is about, in one word: its selector, or `pod/NAME`. */
export function podsOf(spec: Pick<Spec, 'selector' | 'pod'>): string {
  return spec.selector ?? `pod/${spec.pod}`
}

/** What a spec does, in one line: `/home/me/demo <-> /app in pods app=demo (namespace default, context kind)`. */
export function describeSpec(spec: Omit<Spec, 'name'>): string {
  const pods = spec.selector === undefined ? `pod ${spec.pod}` : describePods(spec, spec.selector)
  const where = `namespace ${spec.namespace}, context ${spec.context}`
  const arrow = `${writesTo(spec.mode, 'local') ? '<' : ''}-${writesTo(spec.mode, 'remote') ? '>' : ''}`
  const mode = spec.mode === 'two-way-safe' ? '' : `, ${spec.mode}`
  return `${spec.local} ${arrow} ${spec.remote} in ${pods} (${where}${mode})`
}

function describePods({ pods, twoWayAll }: Pick<Spec, 'pods' | 'twoWayAll'>, selector: string): string {
  if (pods === 'leader') return `the leader of pods ${selector}`
  return twoWayAll === true ? `each of pods ${selector}` : `pods ${selector}`
}
