import { namesOf, parentOf } from '../path.ts'
import type { Path } from '../tree.ts'
import type { Refusal } from './refusal.ts'

/**
 * Why a symlink at this path may not be synced, or undefined if it may: only one that is relative and stays
 * below the root means the same on both sides. Judged by arithmetic on the path, since what a link leads
 * through may change at any time.
 */
export function badLink(path: Path, target: string): Refusal | undefined {
  if (target.startsWith('/') || /^[A-Za-z]:|\\/.test(target)) {
    return { code: 'LINK_ABSOLUTE', message: `links to ${target}, which means something else elsewhere` }
  }
  let depth = namesOf(parentOf(path)).length
  for (const name of target.split('/')) {
    if (name === '' || name === '.') continue
    depth += name === '..' ? -1 : 1
    if (depth < 0) return { code: 'LINK_OUTSIDE', message: `links to ${target}, out of the synced directory` }
  }
  return undefined
}
