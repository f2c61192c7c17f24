import type { Disk } from '../base/disk.ts'

/** A disk in memory that can be put back to what it held before, as by a machine that lost its power. */
export class MemoryDisk implements Disk {
  private files = new Map<string, Buffer>()
  private readonly opened = new Map<number, string>()
  private lastFd = 0

  /** What it holds; later changes are not in it. */
  get copy(): ReadonlyMap<string, Buffer> {
    return new Map(this.files)
  }

  restore(copy: ReadonlyMap<string, Buffer>): void {
    this.files = new Map(copy)
  }

  read(path: string): Buffer | undefined {
    return this.files.get(path)
  }

  exists(path: string): boolean {
    return this.files.has(path)
  }

  open(path: string, { empty }: { empty: boolean }): number {
    if (empty || !this.files.has(path)) this.files.set(path, Buffer.alloc(0))
    this.opened.set(++this.lastFd, path)
    return this.lastFd
  }

  write(fd: number, bytes: Uint8Array): void {
    const path = this.pathOf(fd)
    this.files.set(path, Buffer.concat([this.files.get(path) ?? Buffer.alloc(0), bytes]))
  }

  truncate(fd: number, length: number): void {
    const path = this.pathOf(fd)
    this.files.set(path, Buffer.from((this.files.get(path) ?? Buffer.alloc(0)).subarray(0, length)))
  }

  sync(): void {}

  close(fd: number): void {
    this.opened.delete(fd)
  }

  rename(from: string, to: string): void {
    const bytes = this.files.get(from)
    if (bytes === undefined) throw new Error(`there is no ${from}`)
    this.files.set(to, bytes)
    this.files.delete(from)
  }

  makeDirectory(): void {}

  private pathOf(fd: number): string {
    const path = this.opened.get(fd)
    if (path === undefined) throw new Error('not open')
    return path
  }
}
