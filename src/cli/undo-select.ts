import { realpath } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import type { Item } from '../files/trash/catalog.ts'
import { isAtOrBelow, lastMoment, momentAt, newestAt, since } from '../files/trash/choose.ts'
import type { Path } from '../files/tree.ts'

/** What of the trash is meant by its time; without any of these, the newest. */
export interface When {
  readonly last?: true
  /** Milliseconds since 1970, both. */
  readonly since?: number
  readonly at?: number
}

/** A path below a folder that something was taken from. */
export interface Spot {
  readonly root: string
  readonly path: Path
}

/** Those at the given paths or below, or all if none is given. */
export function within(items: readonly Item[], spots: readonly Spot[]): readonly Item[] {
  if (spots.length === 0) return items
  return items.filter(({ place, path }) =>
    spots.some((spot) => spot.root === place.root && isAtOrBelow(path, spot.path)),
  )
}

/** What is to be brought back, in an order in which it can be. */
export function select(items: readonly Item[], spots: readonly Spot[], when: When): readonly Item[] {
  const chosen = within(items, spots)
  if (when.last) return lastMoment(chosen)
  if (when.at !== undefined) return momentAt(chosen, when.at) ?? []
  if (when.since !== undefined) return since(chosen, when.since)
  const newest = spots.flatMap(({ root, path }) =>
    newestAt(
      items.filter(({ place }) => place.root === root),
      path,
    ),
  )
  return [...new Set(newest)]
}

/** Where a path lies; undefined if it is in no folder that something was taken from. */
export async function spotOf(
  given: string,
  from: string,
  roots: Iterable<string>,
): Promise<Spot | undefined> {
  const path = await withoutLinks(resolve(from, given))
  const holding = [...roots].filter((root) =>
    `${path}${sep}`.startsWith(root.endsWith(sep) ? root : root + sep),
  )
  const root = holding.sort((a, b) => b.length - a.length)[0]
  return root === undefined ? undefined : { root, path: relative(root, path).split(sep).join('/') }
}

/** The path with links on the way to it followed, as far as it exists; it may be a link itself. */
async function withoutLinks(path: string): Promise<string> {
  const parent = dirname(path)
  if (parent === path) return path
  const real = await realpath(parent).catch(() => withoutLinks(parent))
  return join(real, basename(path))
}
