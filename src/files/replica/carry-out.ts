import type { Operation } from '../operation.ts'
import type { Bin, Keeping } from '../trash/bin.ts'
import type { DirectoryEntry, Entry, FileEntry } from '../tree.ts'
import { adorn } from './attributes.ts'
import { using } from './dir.ts'
import { isExecutable, leafAt } from './entry.ts'
import { Folder } from './holding.ts'
import { withExecutable } from './incoming.ts'
import { badLink } from './link.ts'
import { digestAt, expected, type Place, Stale } from './place.ts'
import type { Site } from './site.ts'
import { directoryEntry, matches, stampOf } from './stamp.ts'
import { temporaryName } from './temporary.ts'

type Simple = Exclude<Operation, { op: 'put' }>
type Of<Op> = Extract<Operation, { op: Op }>

/** What an operation is carried out with. */
interface Means {
  readonly site: Site
  readonly bin: Bin
}

const SPECIAL_BITS = 0o7000

/**
 * Carries out an operation that needs no content, and brings the tree in line.
 * @returns what is there now; null for nothing. Throws Stale and system errors.
 */
export function carryOut(means: Means, place: Place, operation: Simple): Entry | null {
  switch (operation.op) {
    case 'mkdir':
      return makeDirectory(means.site, place, operation)
    case 'symlink':
      return makeLink(means, place, operation)
    case 'chmod':
      return changeMode(means.site, place, operation)
    case 'remove':
      return remove(means, place, operation)
  }
}

function makeDirectory(site: Site, place: Place, { expect }: Of<'mkdir'>): DirectoryEntry {
  const { dir, folder, name, path, isStaged, enter } = place
  if (expect !== 'absent') throw new Stale()
  dir.mkdir(name)
  const below = enter()
  const isEmpty = isStaged || below.list().names.length === 0
  const isNew = isEmpty && below.stat().uid === process.geteuid?.()
  const refusal = isNew ? adorn(below, site.attributes, 'directory') : undefined
  if (refusal !== undefined) site.complain(refusal)
  const stats = below.stat()
  const made = new Folder(path, directoryEntry(stats, folder.dev), stats.dev)
  if (isStaged) {
    folder.children.set(name, made)
    return made.entry
  }
  site.watch(made, below)
  site.holding.changeQuietly(() => site.holding.setFolder(folder, name, made))
  const { names, undecodable } = below.list()
  // Somebody was quicker than our watch.
  if (names.length + undecodable.length > 0) site.suspect(path)
  return made.entry
}

function makeLink({ site, bin }: Means, place: Place, { target, expect }: Of<'symlink'>): Entry {
  const { dir, folder, name, path, isStaged } = place
  // Whoever decided on it may be deceived.
  const anyLink = site.ruling.symlinks === 'raw'
  const problem = anyLink ? undefined : badLink(path, target)
  if (problem !== undefined) throw Object.assign(new Error(problem.message), { code: problem.code })
  if (expect === 'absent') dir.symlink(target, name)
  else {
    expected(dir, name, expect)
    const temporary = temporaryName()
    dir.symlink(target, temporary)
    let keeping: Keeping | undefined
    try {
      const stats = expected(dir, name, expect)
      if (stats !== undefined) keeping = bin.keep({ dir, name, path, stats, digest: digestAt(place, expect) })
      dir.rename(temporary, name)
    } catch (error) {
      keeping?.release()
      dir.unlink(temporary)
      throw error
    }
  }
  const stats = dir.lstat(name)
  const found = stats?.isSymbolicLink() ? leafAt({ ...place, anyLink }, stats) : undefined
  if (found?.entry.kind !== 'symlink' || found.entry.target !== target) throw new Stale()
  if (isStaged) folder.children.set(name, found.entry)
  else site.holding.changeQuietly(() => site.holding.setLeaf(folder, name, found))
  return found.entry
}

function changeMode(site: Site, place: Place, { expect, executable }: Of<'chmod'>): FileEntry {
  const { dir, folder, name } = place
  if (expect === 'absent') throw new Stale()
  expected(dir, name, expect)
  const stats = using(dir.openFile(name, 'read'), (file) => {
    const before = file.stat()
    if (!before.isFile() || !matches(expect, before)) throw new Stale()
    file.chmod((before.mode & SPECIAL_BITS) | withExecutable(before.mode, executable))
    return file.stat()
  })
  const digest = digestAt(place, expect)
  const entry: FileEntry = {
    kind: 'file',
    executable: isExecutable(stats.mode),
    stamp: stampOf(stats),
    ...(digest !== undefined && { digest }),
  }
  site.holding.changeQuietly(() => site.holding.setLeaf(folder, name, { entry }))
  return entry
}

function remove({ site, bin }: Means, place: Place, { expect }: Of<'remove'>): null {
  const { dir, folder, name, path } = place
  const stats = expected(dir, name, expect)
  if (stats === undefined) throw new Stale()
  bin.remove({ dir, name, path, stats, digest: digestAt(place, expect) })
  site.holding.changeQuietly(() => site.holding.remove(folder, name))
  return null
}
