import { createHash } from 'node:crypto'
import type { Expectation, Operation, Outcome } from '../operation.ts'
import { namesOf, parentOf } from '../path.ts'
import type { Digest, Entry, Node, Path, Stamp, Tree } from '../tree.ts'

interface Inode {
  ino: number
  mtimeMs: number
  ctimeMs: number
}
type MemoryNode = Inode &
  (
    | { readonly kind: 'file'; content: string; executable: boolean }
    | { readonly kind: 'symlink'; readonly target: string }
    | { readonly kind: 'directory'; readonly children: Map<string, MemoryNode> }
    | { readonly kind: 'opaque' }
  )
type MemoryDirectory = Extract<MemoryNode, { kind: 'directory' }>

/** What a user, or a program in a container, does. It succeeds whatever is in the way. */
export type Edit =
  | { readonly do: 'write'; readonly path: Path; readonly content: string }
  | { readonly do: 'mkdir' | 'remove' | 'chmod' | 'touch' | 'socket'; readonly path: Path }
  | { readonly do: 'symlink'; readonly path: Path; readonly target: string }

export function digestOf(content: string): Digest {
  return createHash('sha256').update(content).digest().toString('latin1')
}

/** Where the content of a `put` comes from: undefined if the file is not what it was at that stamp. */
export type ReadSource = (path: Path, stamp: Stamp) => string | undefined

/** Files as a replica sees them, in memory, on a clock of their own that every change moves. */
export class MemoryFiles {
  root: MemoryDirectory | undefined
  /** Whether executable bits are kept, which they are not everywhere. */
  keepsBits = true
  private readonly epoch: number
  private readonly time: { now: number }

  /**
   * @param epoch where the clock starts: two machines never agree on it
   * @param time what has gone by since, which others may share
   */
  constructor(epoch: number, time = { now: 0 }) {
    this.epoch = epoch
    this.time = time
    this.root = this.directory()
  }

  get now(): number {
    return this.epoch + this.time.now
  }

  /** Time goes by. */
  wait(ms: number): void {
    this.time.now += ms
  }

  edit(edit: Edit): void {
    const { path } = edit
    const node = this.at(path)
    if (edit.do === 'remove') this.unlink(path)
    else if (edit.do === 'chmod' && node?.kind === 'file') {
      node.executable = !node.executable
      node.ctimeMs = this.tick()
    } else if (edit.do === 'touch' && node !== undefined) this.modified(node)
    else if (edit.do === 'write' && node?.kind === 'file') {
      node.content = edit.content
      this.modified(node)
    } else if (edit.do === 'write') {
      this.link(path, { kind: 'file', content: edit.content, executable: false, ...this.inode() })
    } else if (edit.do === 'symlink') {
      this.link(path, { kind: 'symlink', target: edit.target, ...this.inode() })
    } else if (edit.do === 'socket') this.link(path, { kind: 'opaque', ...this.inode() })
    else if (edit.do === 'mkdir' && node?.kind !== 'directory') this.link(path, this.directory())
  }

  tree(): Tree {
    return this.root && nodeOf(this.root)
  }

  /** Every path with what is there, for comparison with the other side. */
  listing(): Map<Path, string> {
    const lines = new Map<Path, string>()
    const list = (directory: MemoryDirectory, prefix: string) => {
      for (const [name, node] of directory.children) {
        lines.set(prefix + name, describe(node))
        if (node.kind === 'directory') list(node, `${prefix}${name}/`)
      }
    }
    if (this.root !== undefined) list(this.root, '')
    return lines
  }

  read: ReadSource = (path, stamp) => {
    const node = this.at(path)
    return node?.kind === 'file' && isSame(stampOf(node), stamp) ? node.content : undefined
  }

  /** Carries out an operation as a replica does: on what was expected, or not at all. */
  carryOut(operation: Operation, read: ReadSource): Outcome {
    const { path, expect } = operation
    const before = this.at(path)
    if (!isAsExpected(before, expect)) return { result: 'stale', path }
    if (this.at(parentOf(path))?.kind !== 'directory') {
      return { result: 'failed', path, problem: { path, code: 'ENOENT', message: 'no such directory' } }
    }
    if (operation.op === 'remove') {
      if (before?.kind === 'directory' && before.children.size > 0) return { result: 'stale', path }
      this.unlink(path)
      return { result: 'done', path, entry: null }
    }
    if (operation.op === 'chmod' && before?.kind === 'file') {
      if (this.keepsBits && before.executable !== operation.executable) this.edit({ do: 'chmod', path })
      return { result: 'done', path, entry: entryOf(before) }
    }
    const made = this.made(operation, read)
    if (made === undefined) return { result: 'source-changed', path }
    this.link(path, made)
    const entry = entryOf(made)
    return {
      result: 'done',
      path,
      entry: made.kind === 'file' ? ({ ...entry, digest: digestOf(made.content) } as Entry) : entry,
    }
  }

  private made(operation: Operation, read: ReadSource): MemoryNode | undefined {
    if (operation.op === 'mkdir') return this.directory()
    if (operation.op === 'symlink') return { kind: 'symlink', target: operation.target, ...this.inode() }
    if (operation.op !== 'put') return undefined
    const content = read(operation.path, operation.source.stamp)
    if (content === undefined) return undefined
    const { mtimeMs } = operation.source.stamp
    const executable = this.keepsBits && operation.executable
    return { kind: 'file', content, executable, ...this.inode(), mtimeMs }
  }

  private at(path: Path): MemoryNode | undefined {
    let node: MemoryNode | undefined = this.root
    for (const name of namesOf(path)) node = node?.kind === 'directory' ? node.children.get(name) : undefined
    return node
  }

  private link(path: Path, node: MemoryNode): void {
    const parent = parentOf(path)
    if (this.at(parent)?.kind !== 'directory') this.link(parent, this.directory())
    const directory = this.at(parent)
    if (directory?.kind !== 'directory') return
    directory.children.set(path.slice(path.lastIndexOf('/') + 1), node)
    this.modified(directory)
  }

  private unlink(path: Path): void {
    const directory = this.at(parentOf(path))
    if (directory?.kind !== 'directory') return
    if (directory.children.delete(path.slice(path.lastIndexOf('/') + 1))) this.modified(directory)
  }

  private directory(): MemoryDirectory {
    return { kind: 'directory', children: new Map(), ...this.inode() }
  }

  private inode(): Inode {
    const now = this.tick()
    return { ino: now, mtimeMs: now, ctimeMs: now }
  }

  private modified(node: MemoryNode): void {
    node.mtimeMs = this.tick()
    node.ctimeMs = node.mtimeMs
  }

  private tick(): number {
    this.time.now += 1
    return this.now
  }
}

function stampOf(node: MemoryNode): Stamp {
  const { mtimeMs, ctimeMs, ino } = node
  const size = node.kind === 'file' ? node.content.length : 0
  const mode = node.kind === 'file' && node.executable ? 0o755 : 0o644
  return { mtimeMs, ctimeMs, ino, size, mode }
}

function entryOf(node: MemoryNode): Entry {
  const stamp = stampOf(node)
  if (node.kind === 'file') return { kind: 'file', executable: node.executable, stamp }
  if (node.kind === 'symlink') return { kind: 'symlink', target: node.target, stamp }
  return node.kind === 'directory' ? { kind: 'directory', stamp } : { kind: 'opaque', reason: 'a socket' }
}

function nodeOf(node: MemoryNode): Node {
  if (node.kind !== 'directory') return { entry: entryOf(node) }
  const children = new Map<string, Node>()
  for (const [name, child] of node.children) children.set(name, nodeOf(child))
  return { entry: entryOf(node), children }
}

function describe(node: MemoryNode): string {
  if (node.kind === 'file') return `file ${node.content}${node.executable ? ' *' : ''}`
  return node.kind === 'symlink' ? `symlink ${node.target}` : node.kind
}

function isAsExpected(node: MemoryNode | undefined, expect: Expectation): boolean {
  if (node === undefined || expect === 'absent') return node === undefined && expect === 'absent'
  // What was in a directory is removed before the directory, which changes its times.
  if (node.kind === 'directory') return node.ino === expect.ino
  return node.kind !== 'opaque' && isSame(stampOf(node), expect)
}

function isSame(a: Stamp, b: Stamp): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
