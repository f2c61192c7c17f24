import { closeSync, type Dirent, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, messageOf } from '../../errors.ts'
import type { Remark, TextFile } from './documents.ts'

/** A file larger than this is no manifest: etcd takes objects of 1.5 MB. In bytes. */
const maxSize = 8 * 1024 * 1024

/** What was read of a folder, and what could not be. */
export interface Loaded {
  /** In the order of their paths. */
  readonly files: readonly TextFile[]
  readonly remarks: readonly Remark[]
}

/** Reads one file, whatever it is called. */
export async function loadFile(root: string, path: string): Promise<Loaded> {
  const read = await load(root, path)
  return 'text' in read ? { files: [read], remarks: [] } : { files: [], remarks: [read] }
}

/**
 * Reads all YAML and JSON files below a folder of the root. Hidden folders and those of package managers are passed over, symbolic links to
 * folders are not followed: they lead out, or round.
 */
export async function loadFolder(root: string, below = ''): Promise<Loaded> {
  const files: TextFile[] = []
  const remarks: Remark[] = []
  const visit = async (folder: string): Promise<void> => {
    for (const entry of await list(root, folder, remarks)) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory()) {
        if (!isPassedOver(entry.name)) await visit(path)
      } else if (isManifestName(entry.name)) {
        const read = await load(root, path)
        if ('text' in read) files.push(read)
        else remarks.push(read)
      }
    }
  }
  await visit(below)
  return { files, remarks }
}

/** Whether a file is one of those that are read, by its name. */
export function isManifestName(name: string): boolean {
  return /\.(?:ya?ml|json)$/.test(name) && !name.startsWith('.')
}

export function isPassedOver(name: string): boolean {
  return name.startsWith('.') || name === 'node_modules'
}

async function list(root: string, folder: string, remarks: Remark[]): Promise<Dirent[]> {
  try {
    const entries = await readdir(join(root, folder), { withFileTypes: true })
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch (error) {
    remarks.push(problem(folder === '' ? '.' : folder, error))
    return []
  }
}

async function load(root: string, path: string): Promise<TextFile | Remark> {
  try {
    const place = join(root, path)
    const found = statSync(place)
    const { size } = found
    if (size > maxSize) {
      const isProblem = looksLikeManifest(place)
      return { file: path, reason: `it has ${size} bytes, too many for a manifest`, isProblem }
    }
    // A small file is read sooner than a thread is asked to; a pipe may keep one waiting.
    const bytes = found.isFile() ? readFileSync(place) : await readFile(place)
    return { path, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) }
  } catch (error) {
    return problem(path, error)
  }
}

/** By how it begins: a large file that is something else is nobody's mistake. */
function looksLikeManifest(place: string): boolean {
  const file = openSync(place, 'r')
  try {
    const head = Buffer.alloc(64 * 1024)
    readSync(file, head)
    return /^[\s{]*["']?(?:apiVersion|kind)["']?\s*:/m.test(head.toString('utf8'))
  } finally {
    closeSync(file)
  }
}

function problem(file: string, error: unknown): Remark {
  if (errnoOf(error) === 'EACCES') return { file, reason: 'it may not be read', isProblem: true }
  if (error instanceof TypeError) return { file, reason: 'it is not UTF-8', isProblem: true }
  return { file, reason: messageOf(error), isProblem: true }
}
