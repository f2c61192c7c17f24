import { namesOf, parentOf } from '../path.ts'
import type { Path } from '../tree.ts'
import type { Refusal } from './refusal.ts'

/**
 * Why a symlink at this path may not be synced, or undefined if it may: only one that is relative and stays
 * below the root means the same on both sides. Judged by arithmetic on the path, since what a link leads
 * through may change at any time. For the same reason, one that goes up after a name is refused: that name
 * may be a link itself, and what is above its target is not what is above its name, so that a few links that
 * look harmless would together lead out (as with rsync's `--safe-links`, CVE-2024-12088). With none of these,
 * every link starts in a real directory below the root and goes up no further than the root.
 */
export function badLink(path: Path, target: string): Refusal | undefined {
  if (target.startsWith('/') || /^[A-Za-z]:|\\/.test(target)) {
    return { code: 'LINK_ABSOLUTE', message: `links to ${target}, which means something else elsewhere` }
  }
  const depth = namesOf(parentOf(path)).length
  const names = target.split('/').filter((name) => name !== '' && name !== '.')
  const down = names.findIndex((name) => name !== '..')
  const up = down === -1 ? names.length : down
  if (up > depth) {
    return { code: 'LINK_OUTSIDE', message: `links to ${target}, out of the synced directory` }
  }
  if (names.includes('..', up)) {
    const message = `links to ${target}, which goes up again after it went down and so may lead anywhere`
    return { code: 'LINK_WINDING', message }
  }
  return undefined
}
