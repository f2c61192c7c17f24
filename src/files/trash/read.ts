import type { Stats } from 'node:fs'
import { joinPath, namesOf } from '../path.ts'
import { type Dir, using } from '../replica/dir.ts'
import { DirCursor } from '../replica/dir-cursor.ts'
import { openDirectory } from '../replica/open-directory.ts'
import { Pace } from '../replica/pace.ts'
import type { Origin } from '../replica/replica.ts'
import type { Digest, Path } from '../tree.ts'
import { CONTENT, INDEX, passTime } from './layout.ts'
import { decodeIndex, type Index, type Reason } from './record.ts'
import { readText } from './store.ts'

/** Something that is in the trash of a folder. */
export interface Kept {
  /** The name of the pass it is in. */
  readonly pass: string
  /** Where it was, relative to the folder. */
  readonly path: Path
  readonly kind: 'file' | 'symlink' | 'directory'
  /** Bytes; 0 for anything but files. */
  readonly size: number
  /** The whole `st_mode`. */
  readonly mode: number
  /** Milliseconds since 1970, as is `at`; 0 for directories. */
  readonly mtimeMs: number
  /** When it was taken. */
  readonly at: number
  /** Absent where nobody wrote it down. */
  readonly why?: Reason | undefined
  readonly digest?: Digest | undefined
  readonly origin?: Origin | undefined
}

/** An index of a million lines. */
const INDEX_LIMIT = 256 * 1024 * 1024
const MAX_DEPTH = 512
const NO_INDEX: Index = { header: undefined, notes: new Map() }

/** Everything in a store. What cannot be read is left out. Lets others have their turn every few milliseconds. */
export async function readStore(store: Dir): Promise<Kept[]> {
  const kept: Kept[] = []
  const pace = new Pace()
  for (const pass of store.list().names) {
    const beganAt = passTime(pass)
    if (beganAt === undefined) continue
    const dir = tryTo(() => store.openDir(pass))
    if (dir === undefined) continue
    try {
      const index = tryTo(() => decodeIndex(readText(dir, INDEX, INDEX_LIMIT))) ?? NO_INDEX
      const content = tryTo(() => dir.openDir(CONTENT))
      if (content !== undefined) await walk({ pass, beganAt, index, pace, kept }, content)
    } finally {
      dir.close()
    }
    if (pace.due) await pace.rest()
  }
  return kept
}

/** The index of some pass, if there is one that can be read: it says which folder the store is of. */
export function anyRoot(store: Dir): string | undefined {
  for (const pass of store.list().names) {
    if (passTime(pass) === undefined) continue
    const root = tryTo(() =>
      using(store.openDir(pass), (dir) => decodeIndex(readText(dir, INDEX, INDEX_LIMIT)).header?.root),
    )
    if (root !== undefined) return root
  }
  return undefined
}

interface Reading {
  readonly pass: string
  readonly beganAt: number
  readonly index: Index
  readonly pace: Pace
  readonly kept: Kept[]
}

interface Frame {
  readonly dir: Dir
  readonly path: Path
  readonly names: string[]
}

async function walk(reading: Reading, content: Dir): Promise<void> {
  const frames: Frame[] = []
  const enter = (dir: Dir | undefined, path: Path): void => {
    const names = dir && tryTo(() => dir.list().names)
    if (dir !== undefined && names !== undefined) frames.push({ dir, path, names: [...names] })
    else dir?.close()
  }
  enter(content, '')
  try {
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      const name = frame.names.pop()
      if (name === undefined) {
        frames.pop()
        frame.dir.close()
        continue
      }
      const { dir } = frame
      const path = joinPath(frame.path, name)
      const stats = tryTo(() => dir.lstat(name))
      if (stats !== undefined) add(reading, path, stats)
      if (stats?.isDirectory() && frames.length < MAX_DEPTH)
        enter(
          tryTo(() => dir.openDir(name)),
          path,
        )
      if (reading.pace.due) await reading.pace.rest()
    }
  } finally {
    for (const { dir } of frames) dir.close()
  }
}

function add({ pass, beganAt, index, kept }: Reading, path: Path, stats: Stats): void {
  const note = index.notes.get(path)
  const isDirectory = stats.isDirectory()
  // Other directories are only there for what is in them.
  if (isDirectory && note?.directory === undefined) return
  if (!isDirectory && !stats.isFile() && !stats.isSymbolicLink()) return
  kept.push({
    ...{ pass, path, kind: isDirectory ? 'directory' : stats.isFile() ? 'file' : 'symlink' },
    size: stats.isFile() ? stats.size : 0,
    mode: isDirectory ? (note?.directory ?? 0) : stats.mode,
    mtimeMs: isDirectory ? 0 : stats.mtimeMs,
    ...{ at: note?.at ?? beganAt, why: note?.why, digest: note?.digest, origin: index.header?.origin },
  })
}

/**
 * Those that are not at their place as well. A second name that was given to a file that was then not replaced,
 * because the process was killed in between, is no older version of it.
 */
export function withoutPresent(root: string, store: Dir, kept: readonly Kept[]): Kept[] {
  const cursor = new DirCursor()
  const inStore = new DirCursor()
  const dir = tryTo(() => openDirectory(root))
  if (dir === undefined) return [...kept]
  try {
    return kept.filter((one) => {
      if (one.kind !== 'file') return true
      const names = namesOf(one.path)
      const name = names.pop() ?? ''
      const there = tryTo(() => inStore.open(store, [one.pass, CONTENT, ...names].join('/')).lstat(name))
      if (there === undefined || there.nlink < 2) return there !== undefined
      const here = tryTo(() => cursor.open(dir, names.join('/')).lstat(name))
      return here === undefined || here.ino !== there.ino || here.dev !== there.dev
    })
  } finally {
    cursor.release()
    inStore.release()
    dir.close()
  }
}

function tryTo<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}
