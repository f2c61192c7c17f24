import { stat } from 'node:fs/promises'
import type { KubeClient } from '../../kube/client.ts'
import { type Remark, readDocuments } from '../folder/documents.ts'
import { loadFolder } from '../folder/load.ts'
import { type LocalObject, resolveLocal } from '../local.ts'

/** What a folder of manifests holds. */
export interface Folder {
  readonly objects: readonly LocalObject[]
  readonly remarks: readonly Remark[]
  /** By path. */
  readonly texts: ReadonlyMap<string, string>
}

/** Reads a folder, and asks the server what the kinds in it are. A folder that is not there is empty. */
export async function surveyFolder(client: KubeClient, root: string): Promise<Folder> {
  const isThere = await stat(root).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (!isThere) return { objects: [], remarks: [], texts: new Map() }
  const { files, remarks } = await loadFolder(root)
  const read = readDocuments(files)
  const { objects, remarks: doubles } = await resolveLocal(client, read.manifests)
  return {
    objects,
    remarks: [...remarks, ...read.remarks, ...doubles],
    texts: new Map(files.map(({ path, text }) => [path, text])),
  }
}
