import { errnoOf } from '../../errors.ts'
import { type Dir, using } from '../replica/dir.ts'
import { openDirectory } from '../replica/open-directory.ts'
import { TRASH_INSIDE } from '../replica/temporary.ts'
import { isStoreName, storeName } from './layout.ts'
import { anyRoot, type Kept, readStore, withoutPresent } from './read.ts'
import { folderOf } from './store.ts'

/** A store, and the folder that it is of. */
export interface Place {
  /** Absolute path. */
  readonly root: string
  readonly store: Dir
}

/** Something in the trash, and where. */
export interface Item extends Kept {
  readonly place: Place
}

/** What is in the trash, of all folders. To be closed, after which its items cannot be used any more. */
export interface Catalog {
  readonly places: readonly Place[]
  readonly items: readonly Item[]
  close(): void
}

export interface CatalogOptions {
  /** Even what is still at its place, because nobody came to replace it. */
  readonly evenIfPresent?: boolean
}

/** @param home kubesync's own directory for what is kept; it need not exist */
export async function openCatalog(
  home: string,
  { evenIfPresent = false }: CatalogOptions = {},
): Promise<Catalog> {
  const places: Place[] = []
  const close = () => {
    for (const { store } of places) store.close()
  }
  try {
    for (const place of openPlaces(home)) places.push(place)
    const items: Item[] = []
    for (const place of places) {
      const all = await readStore(place.store)
      const kept = evenIfPresent ? all : withoutPresent(place.root, place.store, all)
      for (const one of kept) items.push({ ...one, place })
    }
    return { places, items, close }
  } catch (error) {
    close()
    throw error
  }
}

/** Something that is another whenever anything went into the trash, or out of it for good; cheap to ask for. */
export function stampOfTrash(home: string): string {
  const stamps: string[] = []
  for (const { root, store } of openPlaces(home)) {
    stamps.push(`${root} ${store.stat().mtimeMs}`)
    store.close()
  }
  return stamps.join('\n')
}

function* openPlaces(home: string): Generator<Place> {
  const dir = openIfThere(() => openDirectory(home))
  if (dir === undefined) return
  try {
    for (const name of dir.list().names.filter(isStoreName)) {
      const store = openIfThere(() => dir.openDir(name))
      const root = store && (folderOf(store) ?? anyRoot(store))
      // A store is of the folder that it is named after, whatever somebody wrote into it.
      if (store === undefined || root === undefined || storeName(root) !== name) {
        store?.close()
        continue
      }
      yield { root, store }
      const inside = openIfThere(() => using(openDirectory(root), (folder) => folder.openDir(TRASH_INSIDE)))
      if (inside !== undefined) yield { root, store: inside }
    }
  } finally {
    dir.close()
  }
}

/** Undefined if it is not there, or not a directory. */
function openIfThere(open: () => Dir): Dir | undefined {
  try {
    return open()
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}
