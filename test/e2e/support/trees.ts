import { createHash } from 'node:crypto'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { Lab } from './cluster.ts'

/** What a folder holds, a line a path, sorted: kind, digest or target, path. Equal lines, equal folders. */
export type Listing = readonly string[]

export function listLocal(root: string): Listing {
  const lines: string[] = []
  const visit = (path: string) => {
    for (const name of readdirSync(join(root, path))) {
      const child = path === '' ? name : `${path}/${name}`
      lines.push(describe(join(root, child), child))
      if (lstatSync(join(root, child)).isDirectory()) visit(child)
    }
  }
  visit('')
  return lines.sort()
}

function describe(absolute: string, path: string): string {
  const stat = lstatSync(absolute)
  if (stat.isSymbolicLink()) return `link ${readlinkSync(absolute)} ${path}`
  if (stat.isDirectory()) return `directory ${path}`
  const digest = createHash('sha256').update(readFileSync(absolute)).digest('hex')
  return `${stat.mode & 0o100 ? 'program' : 'file'} ${digest} ${path}`
}

const listing = `
find . -mindepth 1 -type d | sed 's|^\\./|directory |'
find . -type f ! -perm -100 -exec sha256sum {} + | sed 's|^\\([0-9a-f]*\\)  \\./|file \\1 |'
find . -type f -perm -100 -exec sha256sum {} + | sed 's|^\\([0-9a-f]*\\)  \\./|program \\1 |'
find . -type l | while IFS= read -r p; do printf 'link %s %s\\n' "$(readlink "$p")" "\${p#./}"; done
`

/** The same of a folder in a container, as the container's own tools see it. */
export async function listRemote(
  lab: Lab,
  pod: string,
  where: { path: string; container?: string },
): Promise<Listing> {
  const out = await lab.sh(pod, `cd '${where.path}' && {${listing}}`, where.container)
  return out.split('\n').filter(Boolean).sort()
}

/** A small generator of numbers that are the same each time (mulberry32). */
export function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export interface TreeOptions {
  readonly files: number
  readonly bytes: number
  readonly seed: number
  /** Fills a file with content, drawing on numbers from 0 to 1; quickly, and mostly with zeros, unless given. */
  readonly fill?: (content: Buffer, next: () => number) => void
}

function fillSparingly(content: Buffer, next: () => number): void {
  for (let at = 0; at + 4 <= content.length; at += 64) content.writeUInt32LE((next() * 2 ** 32) >>> 0, at)
}

/** Writes a tree that looks like a project: mostly small files, a few large, links, programs, odd names. */
export function makeTree(root: string, options: TreeOptions): void {
  const { fill = fillSparingly } = options
  const next = random(options.seed)
  const mean = options.bytes / options.files
  for (let index = 0; index < options.files; index++) {
    const path = join(root, `dir ${index % 40}`, `ünïcode-${Math.floor(index / 400)}`, `file-${index}.txt`)
    mkdirSync(dirname(path), { recursive: true })
    const size = Math.floor(-Math.log(1 - next()) * mean)
    const content = Buffer.alloc(size)
    fill(content, next)
    writeFileSync(path, content)
    if (index % 50 === 0) chmodSync(path, 0o755)
    if (index % 100 === 0) symlinkSync(`file-${index}.txt`, join(dirname(path), `link-${index}`))
  }
  mkdirSync(join(root, 'empty/deep'), { recursive: true })
  writeFileSync(join(root, 'empty file'), '')
}
