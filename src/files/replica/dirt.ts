import { nameOf, parentOf } from '../path.ts'
import type { Path } from '../tree.ts'

const REPLACEMENT = '\ufffd'

/** What is to be looked at. A burst of changes to one thing leaves it here once. */
export class Dirt {
  everything = false
  /** Directory -> names in it. */
  readonly names = new Map<Path, Set<string>>()
  /** Paths to look at, and to list where they are directories. */
  readonly listings = new Set<Path>()

  get isEmpty(): boolean {
    return !this.everything && this.names.size === 0 && this.listings.size === 0
  }

  /** Something happened to a name in a directory; undefined: somewhere in it. */
  add(directory: Path, name: string | undefined): void {
    // A name that is not UTF-8 can be found by listing only.
    if (name === undefined || name.includes(REPLACEMENT)) {
      this.listings.add(directory)
      return
    }
    const names = this.names.get(directory)
    if (names === undefined) this.names.set(directory, new Set([name]))
    else names.add(name)
  }

  addEverything(): void {
    this.everything = true
  }

  /** The same, but where a name of this sort is dirty, all of its directory is to be listed. */
  withListings(isTelling: (name: string) => boolean): Pick<Dirt, 'names' | 'listings'> {
    const listings = new Set(this.listings)
    for (const path of this.listings) if (isTelling(nameOf(path))) listings.add(parentOf(path))
    for (const [directory, names] of this.names) if ([...names].some(isTelling)) listings.add(directory)
    return { names: this.names, listings }
  }

  /** A path is to be looked at, and listed if it is a directory. */
  addPath(path: Path): void {
    this.listings.add(path)
  }
}
