import { namesOf } from '../path.ts'
import type { Path } from '../tree.ts'
import type { Dir } from './dir.ts'

/**
 * Opens directories below a root by walking there name by name, and keeps those on the way open for the next
 * one, which mostly is near. What is kept may be moved elsewhere by others, so it is to be released before
 * waiting for anything.
 */
export class DirCursor {
  private root: Dir | undefined
  /** Where the last of the stack is, if it was opened whole. */
  private path: Path | undefined
  private readonly stack: { readonly name: string; readonly dir: Dir }[] = []

  /** The directory at a path; the cursor closes it. Throws system errors; ENOENT too if there is no root. */
  open(root: Dir | undefined, path: Path): Dir {
    if (root !== this.root) this.release()
    else if (path === this.path && root !== undefined) return this.stack.at(-1)?.dir ?? root
    if (root === undefined) throw Object.assign(new Error('ENOENT: there is no root'), { code: 'ENOENT' })
    this.root = root
    this.path = undefined
    const names = namesOf(path)
    let kept = 0
    while (kept < this.stack.length && this.stack[kept]?.name === names[kept]) kept++
    this.closeTo(kept)
    let dir = this.stack.at(-1)?.dir ?? root
    for (const name of names.slice(kept)) {
      dir = dir.openDir(name)
      this.stack.push({ name, dir })
    }
    this.path = path
    return dir
  }

  release(): void {
    this.closeTo(0)
    this.root = undefined
    this.path = undefined
  }

  private closeTo(depth: number): void {
    for (const { dir } of this.stack.splice(depth)) dir.close()
  }
}
