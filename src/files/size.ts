/**
 * How large a tree may be. A container decides what is in its folder, and trees are held in memory: by the agent,
 * which other sessions of its node share, and on the laptop. So there is an end, far above what anybody works with.
 */
import type { FolderPart } from './folders.ts'
import type { Entry } from './tree.ts'

/** A tree of a million entries takes about a gigabyte on the laptop: of each side and of the base a third. */
export const MAX_ENTRIES = 2_000_000
/** Characters of a name and of a link's target that an entry may have on average. */
const TEXT = 256

/** What an entry counts for: one, or more if it has a lot of text. */
export function weightOf(name: string, entry: Entry): number {
  const text = entry.kind === 'symlink' ? entry.target : entry.kind === 'opaque' ? entry.reason : ''
  return 1 + Math.floor((name.length + text.length) / TEXT)
}

/** The same of a directory with its leaves, as far as that can be told without reading them. */
export function weightOfFolder({ path, leaves }: FolderPart<Entry>): number {
  return 1 + leaves.count + Math.floor((path.length + leaves.bytes.length) / TEXT)
}

/** The error to fail with. */
export function tooLarge(limit: number): Error {
  return new Error(
    `the folder holds more than ${limit.toLocaleString('en')} entries, which is too much to sync: choose a smaller one`,
  )
}
