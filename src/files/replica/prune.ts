import { Folder, type Holding } from './holding.ts'
import type { Ruling } from './ruling.ts'

/**
 * Takes what is ignored out of the tree, from a directory down.
 * @returns the directories in which something was ignored before, and may be no longer: only a listing tells
 */
export function prune(holding: Holding, folder: Folder, ruling: Pick<Ruling, 'ignores'>): Folder[] {
  const doubtful = folder.entry.hasIgnored ? [folder] : []
  for (const [name, child] of folder.children) {
    if (ruling.ignores(folder, name, child instanceof Folder)) {
      holding.remove(folder, name)
      holding.noteIgnored(folder, true)
    } else if (child instanceof Folder) {
      for (const below of prune(holding, child, ruling)) doubtful.push(below)
    }
  }
  return doubtful
}
