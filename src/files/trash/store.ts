import { isAbsolute } from 'node:path'
import * as v from 'valibot'
import { errnoOf } from '../../errors.ts'
import { type Dir, using } from '../replica/dir.ts'
import { TRASH_INSIDE, temporaryName } from '../replica/temporary.ts'
import { FOLDER, storeName } from './layout.ts'

/** Where a folder's trash may be. */
export interface StoreSite {
  /** Opens kubesync's own directory for what is kept; makes it if need be. */
  readonly openHome: () => Dir
  /** The synced folder, and its absolute path, free of links. */
  readonly root: Dir
  readonly rootPath: string
}

const OWN_DIRECTORY = 0o700
const OWN_FILE = 0o600
/** Bytes; paths are not longer. */
const FOLDER_LIMIT = 64 * 1024
/** What git reads: it then takes no notice of the whole directory. */
const IGNORE_ALL = '*\n'

/**
 * Opens the store of a folder, and makes it if need be: in kubesync's own directory if that is on the same
 * filesystem, else in the folder itself, so that things get there by a rename. Where that cannot be made either,
 * they are copied to the former. Throws system errors.
 */
export function openStore({ openHome, root, rootPath }: StoreSite): Dir {
  const store = using(openHome(), (home) => openOrMake(home, storeName(rootPath)))
  try {
    nameFolder(store, rootPath)
    const inside = store.stat().dev === root.stat().dev ? undefined : openInside(root)
    if (inside === undefined) return store
    store.close()
    return inside
  } catch (error) {
    store.close()
    throw error
  }
}

function openOrMake(dir: Dir, name: string): Dir {
  if (dir.lstat(name) === undefined) {
    try {
      dir.mkdir(name, OWN_DIRECTORY)
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
    }
  }
  return dir.openDir(name)
}

function openInside(root: Dir): Dir | undefined {
  let inside: Dir | undefined
  try {
    inside = openOrMake(root, TRASH_INSIDE)
    if (inside.lstat('.gitignore') === undefined) writeNew(inside, '.gitignore', IGNORE_ALL)
    return inside
  } catch {
    inside?.close()
    return undefined
  }
}

/** The store's own name does not tell which folder it is of. */
function nameFolder(store: Dir, root: string): void {
  if (store.lstat(FOLDER) === undefined) writeNew(store, FOLDER, JSON.stringify({ version: 1, root }))
}

function writeNew(dir: Dir, name: string, text: string): void {
  const temporary = temporaryName()
  using(dir.createFile(temporary, OWN_FILE), (file) => file.write(Buffer.from(text)))
  dir.rename(temporary, name)
}

const folderSchema = v.object({ version: v.literal(1), root: v.pipe(v.string(), v.check(isAbsolute)) })

/** The folder that a store says it is of; undefined if it says nothing that can be made out. */
export function folderOf(store: Dir): string | undefined {
  try {
    return v.parse(folderSchema, JSON.parse(readText(store, FOLDER, FOLDER_LIMIT))).root
  } catch {
    return undefined
  }
}

/** A file as text; throws system errors, and if it is longer than `limit` bytes. */
export function readText(dir: Dir, name: string, limit: number): string {
  return using(dir.openFile(name, 'read'), (file) => {
    const { size } = file.stat()
    if (size > limit) throw new Error(`${name} has ${size} bytes`)
    const bytes = Buffer.alloc(size)
    return bytes.subarray(0, file.read(bytes)).toString()
  })
}
