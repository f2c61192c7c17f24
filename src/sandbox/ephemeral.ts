import { isDeepStrictEqual } from 'node:util'
import { invalid } from './failure.ts'
import { at, type KubeObject } from './object.ts'
import type { Target } from './route.ts'
import { forbiddenField } from './validate/causes.ts'
import { list, text } from './values.ts'

/** Ephemeral containers are only added, and only through their own subresource. Throws 422. */
export function checkEphemeral({ subresource, type }: Target, live: KubeObject, next: KubeObject): void {
  const [before, after] = [live, next].map((pod) => list(at(pod, 'spec', 'ephemeralContainers')))
  if (isDeepStrictEqual(before, after)) return
  const causes =
    subresource === 'ephemeralcontainers' ? lost(before ?? [], after ?? []) : [forbiddenField('spec', only)]
  if (causes.length > 0) throw invalid(type.info, live.metadata.name, causes)
}

const only =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

function lost(before: readonly unknown[], after: readonly unknown[]) {
  return before.flatMap((container) => {
    const name = text(at(container, 'name'))
    const found = after.find((one) => at(one, 'name') === name)
    if (isDeepStrictEqual(found, container)) return []
    const why = found === undefined ? 'may not be removed' : 'may not be changed'
    const told = `existing ephemeral containers ${JSON.stringify(name)} ${why}\n`
    return [forbiddenField('spec.ephemeralContainers', told)]
  })
}
