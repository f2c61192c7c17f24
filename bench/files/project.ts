/** A tree whose content is that of a project: what a tool that compresses makes of it is what users get. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeTree, type TreeOptions } from '../../test/e2e/support/trees.ts'

/** One file in so many is of what cannot be compressed, as pictures and archives are. */
const DENSE = 5
const built = 'dist/chunks'

let source: Buffer | undefined

/** Source code: what this project is built into, 3 MB. */
function code(): Buffer {
  source ??= Buffer.concat(readdirSync(built).map((name) => readFileSync(join(built, name))))
  return source
}

function fill(content: Buffer, next: () => number): void {
  if (next() * DENSE < 1) {
    for (let at = 0; at < content.length; at++) content[at] = next() * 256
    return
  }
  const from = code()
  for (let at = 0; at < content.length; ) at += from.copy(content, at, Math.floor(next() * from.length))
}

export function makeProject(root: string, options: Omit<TreeOptions, 'fill'>): void {
  makeTree(root, { ...options, fill })
}
