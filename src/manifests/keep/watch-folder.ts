import { type FSWatcher, watch } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isManifestName, isPassedOver } from '../folder/load.ts'

/** What is told of a folder of manifests. */
export interface FolderWatch {
  /** Watches directories that are new; to be called before the folder is read, so that nothing comes in between. */
  refresh(): Promise<void>
  /** Whether some directories cannot be watched: they have to be looked at now and then. */
  isBlind(): boolean
  close(): void
}

/** One watch reports changes in everything below. */
const watchesBelow = process.platform === 'darwin' || process.platform === 'win32'

/** Watches all directories in which manifests are looked for: one watch each, since recursive ones of Node's take one a file. */
export function watchFolder(root: string, onChange: (path: string) => void): FolderWatch {
  const watches = new Map<string, FSWatcher>()
  let blind = false
  const changed = (folder: string, type: string, name: string | null) => {
    const last = name?.split(/[/\\]/).at(-1)
    // What is not named may be anything; of what is no manifest only that it comes and goes matters: it may be a directory.
    if (last !== undefined && (last.startsWith('.') || (type === 'change' && !isManifestName(last)))) return
    const path = name === null ? folder : `${folder}${folder === '' ? '' : '/'}${name.replaceAll('\\', '/')}`
    // A directory that came may not be the one that is watched by that name.
    if (type === 'rename') drop((watched) => watched === path || watched.startsWith(`${path}/`))
    onChange(path)
  }
  const drop = (isMeant: (folder: string) => boolean) => {
    for (const [folder, watcher] of watches) {
      if (!isMeant(folder)) continue
      watcher.close()
      watches.delete(folder)
    }
  }
  const follow = (folder: string) => {
    if (watches.has(folder) || (watchesBelow && folder !== '')) return
    try {
      const watcher = watch(join(root, folder), { recursive: watchesBelow }, (type, name) =>
        changed(folder, type, name),
      )
      watcher.on('error', () => {
        drop((watched) => watched === folder)
        onChange(folder)
      })
      watches.set(folder, watcher)
    } catch {
      // The user's watches are used up, or the directory went.
      blind = true
    }
  }
  const visit = async (folder: string, seen: Set<string>): Promise<void> => {
    seen.add(folder)
    follow(folder)
    const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      if (!entry.isDirectory() || isPassedOver(entry.name)) continue
      await visit(folder === '' ? entry.name : `${folder}/${entry.name}`, seen)
    }
  }
  return {
    async refresh() {
      blind = false
      const seen = new Set<string>()
      // Nobody tells of the root itself.
      drop((folder) => folder === '')
      await visit('', seen)
      drop((folder) => !seen.has(folder))
    },
    isBlind: () => blind,
    close: () => drop(() => true),
  }
}
