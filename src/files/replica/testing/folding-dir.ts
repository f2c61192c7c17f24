import type { Stats } from 'node:fs'
import type { Dir, File } from '../dir.ts'
import { FaultyDir, systemError } from './faulty-dir.ts'

/** A directory on a filesystem to which names that differ in case only are the same, as on macOS and Windows. */
export class FoldingDir extends FaultyDir {
  constructor(dir: Dir) {
    super(dir, {})
  }

  override lstat(name: string): Stats | undefined {
    return super.lstat(this.real(name))
  }

  override openDir(name: string): Dir {
    return new FoldingDir(this.dir.openDir(this.real(name)))
  }

  override openFile(name: string, access: 'read' | 'write'): File {
    return super.openFile(this.real(name), access)
  }

  override mkdir(name: string, mode?: number): void {
    this.refuseTaken(name)
    super.mkdir(name, mode)
  }

  override link(from: string, to: string): void {
    this.refuseTaken(to)
    super.link(this.real(from), to)
  }

  override rename(from: string, to: string): void {
    super.rename(this.real(from), this.real(to))
  }

  override unlink(name: string): void {
    super.unlink(this.real(name))
  }

  private refuseTaken(name: string): void {
    if (this.lstat(name) !== undefined) throw systemError('EEXIST')
  }

  /** By which name it is there, if it is. */
  private real(name: string): string {
    const { names } = this.dir.list()
    return names.find((one) => one.toLowerCase() === name.toLowerCase()) ?? name
  }
}
