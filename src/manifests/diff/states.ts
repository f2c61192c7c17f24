import { operate } from '../operate.ts'
import { isMap, type JsonMap } from '../value.ts'
import { compare } from './compare.ts'
import type { Shape } from './shape.ts'
import { operationsFor } from './take.ts'

/**
 * What both sides last agreed on, each as that side had it: the object in the file, and the clean object in the cluster, which has
 * more in it, such as defaults.
 */
export interface Agreed {
  readonly file: JsonMap
  readonly live: JsonMap
}

/**
 * The remote side in the file's terms: what the file would hold if it had followed the cluster since both agreed. What the
 * cluster had beyond the file then, it may have beyond the file still.
 */
export function followed(agreed: Agreed, live: JsonMap, shape: Shape): JsonMap {
  const changes = compare({ base: agreed.live, local: agreed.live, remote: live }, shape)
  const wishes = changes.map(({ path, remote: value }) => ({ path, value, like: live }))
  const now = operate(agreed.file, operationsFor(agreed.file, wishes, shape))
  return isMap(now) ? now : agreed.file
}
