import { mkdirSync, realpathSync } from 'node:fs'
import type { Dir } from '../replica/dir.ts'
import { openDirectory } from '../replica/open-directory.ts'
import { openStore } from './store.ts'

/** Where what goes from one folder of this machine is kept. */
export interface LocalTrash {
  /** Absolute path of the folder, free of links. */
  readonly root: string
  openStoreFor(root: Dir): () => Dir
}

/** @param home kubesync's own directory for what is kept; made, for this user only, when something is */
export function localTrash(
  home: string,
  root: string,
  open: (path: string) => Dir = openDirectory,
): LocalTrash {
  const openHome = () => {
    mkdirSync(home, { recursive: true, mode: 0o700 })
    return open(realpathSync(home))
  }
  return { root, openStoreFor: (dir) => () => openStore({ openHome, root: dir, rootPath: root }) }
}
