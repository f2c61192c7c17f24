import { errnoOf } from '../../errors.ts'
import { parentOf } from '../path.ts'
import { type Dir, using } from '../replica/dir.ts'
import { DirCursor } from '../replica/dir-cursor.ts'
import { Pace } from '../replica/pace.ts'
import { isTemporary } from '../replica/temporary.ts'
import { type Item, openCatalog } from './catalog.ts'
import { expired, type Limits } from './choose.ts'
import { CONTENT, INDEX, passTime } from './layout.ts'

/** Milliseconds after which an empty pass is nobody's any more. */
const SETTLED = 60 * 60_000

export interface SweepOptions {
  readonly limits: Limits
  /** Leaves the rest for another time. */
  readonly signal?: AbortSignal
  /** Milliseconds since 1970; unless given, what the clock says. */
  readonly now?: number
}

export interface Swept {
  readonly removed: number
  /** Bytes. */
  readonly freed: number
}

/** Removes from the trash what its limits say, and what is left over. Others have their turn every few milliseconds. */
export async function sweepTrash(home: string, options: SweepOptions): Promise<Swept> {
  const { limits, signal, now = Date.now() } = options
  const catalog = await openCatalog(home, { evenIfPresent: true })
  const pace = new Pace()
  try {
    const gone = expired(catalog.items, limits, now)
    for (const item of gone) {
      if (signal?.aborted) break
      discard(item)
      if (pace.due) await pace.rest()
    }
    const left = catalog.items.filter((item) => !gone.has(item))
    for (const { store } of catalog.places) {
      const inUse = new Set(left.filter(({ place }) => place.store === store).map(({ pass }) => pass))
      for (const pass of store.list().names.filter((name) => !inUse.has(name))) {
        const beganAt = passTime(pass)
        if (!signal?.aborted && beganAt !== undefined && now - beganAt > SETTLED) removeEmpty(store, pass)
        if (pace.due) await pace.rest()
      }
    }
    return { removed: gone.size, freed: [...gone].reduce((sum, { size }) => sum + size, 0) }
  } finally {
    catalog.close()
  }
}

/** Removes one thing from the trash, for good. */
export function discard({ place, pass, path, kind }: Item): void {
  const cursor = new DirCursor()
  try {
    const dir = cursor.open(place.store, [pass, CONTENT, parentOf(path)].filter(Boolean).join('/'))
    const name = path.slice(path.lastIndexOf('/') + 1)
    if (kind !== 'directory') dir.unlink(name)
    else dir.rmdir(name)
  } catch (error) {
    // Somebody was quicker, or there is something in that directory.
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(errnoOf(error) ?? '')) throw error
  } finally {
    cursor.release()
  }
}

/** Removes a pass, unless there is something in it after all. */
function removeEmpty(store: Dir, pass: string): void {
  const isEmpty = using(store.openDir(pass), (dir) => {
    if (dir.lstat(CONTENT)?.isDirectory() && !using(dir.openDir(CONTENT), prune)) return false
    for (const name of dir.list().names) {
      if (name === CONTENT) dir.rmdir(name)
      else if (name === INDEX || isTemporary(name)) dir.unlink(name)
    }
    return dir.list().names.length === 0
  })
  if (isEmpty) store.rmdir(pass)
}

/** Removes the directories below that hold no file; whether nothing is left. */
function prune(dir: Dir): boolean {
  let isEmpty = true
  for (const name of dir.list().names) {
    const isGone = dir.lstat(name)?.isDirectory() === true && using(dir.openDir(name), prune)
    if (isGone) dir.rmdir(name)
    isEmpty &&= isGone
  }
  return isEmpty
}
