import type { Spec } from '../config/spec.ts'

/** Which pods a spec is about, in one word: its selector, or `pod/NAME`. */
export function podsOf(spec: Pick<Spec, 'selector' | 'pod'>): string {
  return spec.selector ?? `pod/${spec.pod}`
}

const arrows = { 'two-way-safe': '<->', 'to-remote-safe': '->', 'to-local-safe': '<-' } as const

/** What a spec does, in one line: `/home/me/demo <-> /app in pods app=demo (namespace default, context kind)`. */
export function describeSpec(spec: Omit<Spec, 'name'>): string {
  const pods = spec.selector === undefined ? `pod ${spec.pod}` : describePods(spec, spec.selector)
  const where = `namespace ${spec.namespace}, context ${spec.context}`
  return `${spec.local} ${arrows[spec.mode]} ${spec.remote} in ${pods} (${where})`
}

function describePods({ pods, twoWayAll }: Pick<Spec, 'pods' | 'twoWayAll'>, selector: string): string {
  if (pods === 'leader') return `the leader of pods ${selector}`
  return twoWayAll === true ? `each of pods ${selector}` : `pods ${selector}`
}
