import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { putTogether, type Remark, readOne } from '../folder/documents.ts'
import { loadFile, loadFolder } from '../folder/load.ts'
import { readRemembered } from '../folder/remembered.ts'
import { type LocalObject, resolveLocal } from '../local.ts'
import type { Session } from '../session.ts'

/** What a folder of manifests holds. */
export interface Folder {
  readonly objects: readonly LocalObject[]
  readonly remarks: readonly Remark[]
  /** By path. */
  readonly texts: ReadonlyMap<string, string>
}

/**
 * Reads a folder, or some files and folders, and asks the server what the kinds in it are. What is not there is empty.
 *
 * @param paths relative to the root, which all names of files are, too.
 */
export async function surveyFolder(
  { client, root, store }: Pick<Session, 'client' | 'root' | 'store'>,
  paths: readonly string[],
): Promise<Folder> {
  const loaded = await Promise.all(
    paths.map(async (path) => {
      const found = await stat(resolve(root, path)).catch(() => undefined)
      if (found === undefined) return { files: [], remarks: [] }
      return found.isDirectory() ? loadFolder(root, path === '.' ? '' : path) : loadFile(root, path)
    }),
  )
  const files = new Map(loaded.flatMap((one) => one.files).map((file) => [file.path, file]))
  const read = putTogether(await readRemembered([...files.values()], store, async (file) => readOne(file)))
  const { objects, remarks: doubles } = await resolveLocal(client, read.manifests)
  return {
    objects,
    remarks: [...loaded.flatMap((one) => one.remarks), ...read.remarks, ...doubles],
    texts: new Map([...files.values()].map(({ path, text }) => [path, text])),
  }
}
