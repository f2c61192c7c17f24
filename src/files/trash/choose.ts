/** What to bring back, and what to let go: decisions, without a disk. */
import type { Path } from '../tree.ts'
import type { Kept } from './read.ts'

/** Milliseconds without anything taken after which what follows is another moment. */
const PAUSE = 1_000
/** A moment is no longer than this, in milliseconds: what changes for ever must not be one thing. */
const LONGEST = 60_000

/** As far as these decisions need to know it. */
export type Taken = Pick<Kept, 'path' | 'at' | 'size'> & { readonly place: { readonly root: string } }

/** What was taken from one folder at about the same time, oldest first. */
export type Moment<T extends Taken> = readonly [T, ...T[]]

/** All moments, the newest first. */
export function momentsOf<T extends Taken>(items: readonly T[]): Moment<T>[] {
  const moments: [T, ...T[]][] = []
  for (const ofRoot of byRoot(items).values()) {
    let moment: [T, ...T[]] | undefined
    let last = Number.NEGATIVE_INFINITY
    for (const item of ofRoot.toSorted((a, b) => a.at - b.at)) {
      const isLater = moment === undefined || item.at - last >= PAUSE || item.at - moment[0].at >= LONGEST
      if (isLater) {
        moment = [item]
        moments.push(moment)
      } else moment?.push(item)
      last = item.at
    }
  }
  return moments.sort(([a], [b]) => b.at - a.at)
}

/** Of several versions of a path, the one that was there first: what was there before all of it. */
export function oldestOfEach<T extends Taken>(items: readonly T[]): T[] {
  const oldest = new Map<string, T>()
  for (const item of items) {
    const key = keyOf(item)
    const known = oldest.get(key)
    if (known === undefined || item.at < known.at) oldest.set(key, item)
  }
  return inOrder([...oldest.values()])
}

/** What was taken from then on, each as it was at that time. */
export function since<T extends Taken>(items: readonly T[], time: number): T[] {
  return oldestOfEach(items.filter(({ at }) => at >= time))
}

/** The moment that was at a time, which may be cut to the second; undefined if there was none. */
export function momentAt<T extends Taken>(items: readonly T[], time: number): T[] | undefined {
  const moment = momentsOf(items).find(([first, ...rest]) => {
    const end = rest.at(-1)?.at ?? first.at
    return Math.floor(first.at / 1000) * 1000 <= time && time <= end
  })
  return moment && oldestOfEach(moment)
}

export function lastMoment<T extends Taken>(items: readonly T[]): T[] {
  const [last] = momentsOf(items)
  return last === undefined ? [] : oldestOfEach(last)
}

/** What `undo PATH` means: the newest version of a file, or what was taken last of a folder. */
export function newestAt<T extends Taken>(items: readonly T[], path: Path): T[] {
  if (path === '') return lastMoment(items)
  const own = items.filter((item) => item.path === path).sort((a, b) => b.at - a.at)
  const below = items.filter((item) => item.path.startsWith(`${path}/`))
  const [newest] = own
  if (below.length === 0) return newest === undefined ? [] : [newest]
  return lastMoment([...own, ...below])
}

export function isAtOrBelow(path: Path, directory: Path): boolean {
  return directory === '' || path === directory || path.startsWith(`${directory}/`)
}

export interface Limits {
  /** Milliseconds. */
  readonly maxAge: number
  /** Bytes. */
  readonly maxSize: number
}

/** Milliseconds in which nothing goes: it may be under way. */
const GRACE = 60_000
/** Versions of one path; what changes every second would have tens of thousands a day. */
const MAX_VERSIONS = 100

/**
 * What is to go: what is too old, more than a hundred versions of a path, and then, oldest first, what is too much.
 * Size alone never takes what `undo --last` would bring back in a folder. With a limit of 0 everything goes.
 */
export function expired<T extends Taken>(items: readonly T[], limits: Limits, now: number): Set<T> {
  const isOff = limits.maxAge === 0 || limits.maxSize === 0
  const last = new Set([...byRoot(items).values()].flatMap(lastMoment))
  const gone = new Set<T>()
  const versions = new Map<string, number>()
  let size = [...last].reduce((sum, item) => sum + item.size, 0)
  let isFull = false
  for (const item of items.toSorted((a, b) => b.at - a.at)) {
    const version = (versions.get(keyOf(item)) ?? 0) + 1
    versions.set(keyOf(item), version)
    if (!last.has(item)) {
      isFull ||= size + item.size > limits.maxSize
      size += item.size
    }
    const isTooMuch = !last.has(item) && (isFull || version > MAX_VERSIONS)
    const isNew = Math.abs(now - item.at) < GRACE
    if (!isNew && (isOff || isTooMuch || now - item.at > limits.maxAge)) gone.add(item)
  }
  return gone
}

/** Directories before what is in them. */
function inOrder<T extends Taken>(items: T[]): T[] {
  return items.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

function keyOf({ place, path }: Taken): string {
  return `${place.root}\0${path}`
}

function byRoot<T extends Taken>(items: readonly T[]): Map<string, T[]> {
  const roots = new Map<string, T[]>()
  for (const item of items) {
    const known = roots.get(item.place.root)
    if (known === undefined) roots.set(item.place.root, [item])
    else known.push(item)
  }
  return roots
}
