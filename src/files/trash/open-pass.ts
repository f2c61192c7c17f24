import { randomBytes } from 'node:crypto'
import { errnoOf } from '../../errors.ts'
import { namesOf } from '../path.ts'
import { type Dir, type File, using } from '../replica/dir.ts'
import { DirCursor } from '../replica/dir-cursor.ts'
import type { Path } from '../tree.ts'
import { CONTENT, INDEX, passName } from './layout.ts'
import { encodeHeader, type Header } from './record.ts'

const OWN_DIRECTORY = 0o700
const OWN_FILE = 0o600

/** The directory of a pass, as it is being filled. Throws system errors. */
export class OpenPass {
  /** For what is not whole yet. */
  readonly scratch: Dir
  private readonly content: Dir
  private readonly index: File
  private readonly cursor = new DirCursor()

  constructor(store: Dir, header: Header, now: number) {
    const name = passName(now, randomBytes(6).toString('hex'))
    store.mkdir(name, OWN_DIRECTORY)
    const opened: { close(): void }[] = []
    const opening = <C extends { close(): void }>(closable: C): C => {
      opened.push(closable)
      return closable
    }
    try {
      this.scratch = opening(store.openDir(name))
      this.index = opening(this.scratch.createFile(INDEX, OWN_FILE))
      this.index.write(encodeHeader(header))
      this.scratch.mkdir(CONTENT, OWN_DIRECTORY)
      this.content = opening(this.scratch.openDir(CONTENT))
    } catch (error) {
      for (const one of opened) one.close()
      throw error
    }
  }

  write(line: Buffer): void {
    this.index.write(line)
  }

  /** The directory that stands for one of the synced folder; made if need be. */
  directory(path: Path): Dir {
    try {
      return this.cursor.open(this.content, path)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
    }
    this.cursor.release()
    make(this.content, namesOf(path))
    return this.cursor.open(this.content, path)
  }

  close(): void {
    this.cursor.release()
    for (const one of [this.content, this.index, this.scratch]) one.close()
  }
}

function make(dir: Dir, [name, ...rest]: readonly string[]): void {
  if (name === undefined) return
  if (dir.lstat(name) === undefined) dir.mkdir(name, OWN_DIRECTORY)
  using(dir.openDir(name), (below) => make(below, rest))
}
