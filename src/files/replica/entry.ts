import type { Stats } from 'node:fs'
import type { FileEntry, OpaqueEntry, Path, SymlinkEntry } from '../tree.ts'
import type { Dir } from './dir.ts'
import { badLink } from './link.ts'
import { type Refusal, refusalOf } from './refusal.ts'
import { stampOf } from './stamp.ts'

/** An entry with nothing below it. */
export type Leaf = FileEntry | SymlinkEntry | OpaqueEntry

export interface Found {
  readonly entry: Leaf
  /** Why it is opaque. */
  readonly problem?: Refusal
}

/** The longest name that any usual filesystem holds, and the longest path that a program can use, in bytes. */
const MAX_NAME = 255
const MAX_PATH = 4096
/** A directory that is this deep is not looked into; nobody nests so deep on purpose. */
const MAX_DEPTH = 256
const MAX_BYTES_PER_UNIT = 3
const ANY_EXECUTE = 0o111
const ANY_READ = 0o444
const OWNER_READ = 0o400

export function isExecutable(mode: number): boolean {
  return (mode & ANY_EXECUTE) !== 0
}

export function opaque(problem: Refusal): Found {
  return { entry: { kind: 'opaque', reason: problem.message }, problem }
}

export const undecodableName: Refusal = { code: 'NAME_NOT_UTF8', message: 'has a name that is not UTF-8' }

/** Where something was found. */
export interface Spot {
  readonly dir: Dir
  readonly name: string
  readonly path: Path
  /** Whether a symlink may lead anywhere. */
  readonly anyLink?: boolean
}

/** What `lstat` found, unless that is a directory. */
export function leafAt(spot: Spot, stats: Stats): Found {
  if (stats.isFile()) return fileAt(spot, stats)
  if (stats.isSymbolicLink()) return linkAt(spot, stats)
  return opaque({ code: 'UNSUPPORTED_KIND', message: `is ${kindOf(stats)}, which cannot be synced` })
}

function fileAt({ dir, name }: Spot, stats: Stats): Found {
  try {
    if (!isReadable(stats)) dir.openFile(name, 'read').close()
  } catch (error) {
    return opaque(refusalOf(error, 'read'))
  }
  return { entry: { kind: 'file', executable: isExecutable(stats.mode), stamp: stampOf(stats) } }
}

/** Whether the mode alone says that we may read it; if not, opening it tells. */
function isReadable({ mode, uid }: Stats): boolean {
  return (mode & ANY_READ) === ANY_READ || (uid === process.geteuid?.() && (mode & OWNER_READ) !== 0)
}

function linkAt({ dir, name, path, anyLink }: Spot, stats: Stats): Found {
  let bytes: Buffer
  try {
    bytes = dir.readlink(name)
  } catch (error) {
    return opaque(refusalOf(error, 'read'))
  }
  const target = bytes.toString()
  if (!Buffer.from(target).equals(bytes)) {
    return opaque({ code: 'LINK_NOT_UTF8', message: 'links to a name that is not UTF-8' })
  }
  const problem = anyLink ? undefined : badLink(path, target)
  return problem === undefined
    ? { entry: { kind: 'symlink', target, stamp: stampOf(stats) } }
    : opaque(problem)
}

function kindOf(stats: Stats): string {
  if (stats.isSocket()) return 'a socket'
  if (stats.isFIFO()) return 'a named pipe'
  return stats.isBlockDevice() || stats.isCharacterDevice() ? 'a device' : 'of an unknown kind'
}

/** Why a path cannot be synced by its length alone. */
export function tooLong({ path, name }: Spot): Refusal | undefined {
  if (exceeds(name, MAX_NAME)) {
    return { code: 'NAME_TOO_LONG', message: `has a name of more than ${MAX_NAME} bytes` }
  }
  if (exceeds(path, MAX_PATH)) {
    return { code: 'PATH_TOO_LONG', message: `has a path of more than ${MAX_PATH} bytes` }
  }
  return undefined
}

/** Why a directory at this depth is not looked into. */
export function tooDeep(depth: number): Refusal | undefined {
  if (depth <= MAX_DEPTH) return undefined
  return { code: 'PATH_TOO_DEEP', message: `is more than ${MAX_DEPTH} directories deep` }
}

function exceeds(text: string, bytes: number): boolean {
  return text.length * MAX_BYTES_PER_UNIT > bytes && Buffer.byteLength(text) > bytes
}
