import { lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { walk } from '../../delta.ts'
import { joinPath } from '../../path.ts'
import type { Entry, Path, Tree } from '../../tree.ts'
import { badLink } from '../link.ts'
import { isTemporary } from '../temporary.ts'

/** A tree as text, path -> what is there, to compare with `diskAsText`. */
export function treeAsText(tree: Tree): Record<string, string> {
  const lines: [string, string][] = []
  for (const [path, entry] of walk<Entry>(tree)) lines.push([path, entryAsText(entry)])
  return Object.fromEntries(lines.sort(byPath))
}

/** What is below a directory, found out in the plainest way there is. */
export function diskAsText(root: string): Record<string, string> {
  const lines: [string, string][] = []
  const add = (directory: Path) => {
    for (const name of readdirSync(join(root, directory))) {
      const path = joinPath(directory, name)
      if (isTemporary(name)) continue
      lines.push([path, pathAsText(root, path)])
      if (lstatSync(join(root, path)).isDirectory()) add(path)
    }
  }
  add('')
  return Object.fromEntries(lines.sort(byPath))
}

function pathAsText(root: string, path: Path): string {
  const at = join(root, path)
  const stats = lstatSync(at)
  if (stats.isDirectory()) return `directory ${stats.ino} ${stats.mode}`
  const times = `${stats.ino} ${stats.mode} ${stats.mtimeMs} ${stats.ctimeMs}`
  if (stats.isFile()) return `file ${times} ${stats.size}`
  const target = stats.isSymbolicLink() ? readlinkSync(at) : undefined
  return target === undefined || badLink(path, target) ? 'opaque' : `symlink ${times} ${target}`
}

function entryAsText(entry: Entry): string {
  if (entry.kind === 'opaque') return 'opaque'
  const { ino, mode, mtimeMs, ctimeMs, size } = entry.stamp
  if (entry.kind === 'directory') return `directory ${ino} ${mode}`
  const times = `${ino} ${mode} ${mtimeMs} ${ctimeMs}`
  return entry.kind === 'file' ? `file ${times} ${size}` : `symlink ${times} ${entry.target}`
}

function byPath([a]: [string, string], [b]: [string, string]): number {
  return a < b ? -1 : a > b ? 1 : 0
}
