import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { random } from './trees.ts'

/** Somebody who works in a folder on files that nobody else touches, and who knows what should be in them. */
export class Worker {
  /** What each file holds, by its path below the folder. */
  readonly files = new Map<string, string>()
  readonly #folder: string
  readonly #name: string
  readonly #random: () => number
  readonly #skewMs: number
  #edits = 0

  /** @param options.skewMs by how much the clock that stamps these files is wrong. */
  constructor(folder: string, options: { name: string; seed: number; skewMs?: number }) {
    this.#folder = folder
    this.#name = options.name
    this.#random = random(options.seed)
    this.#skewMs = options.skewMs ?? 0
  }

  /** Writes, saves as editors do, renames and deletes, so many times. */
  work(edits: number): void {
    for (let edit = 0; edit < edits; edit++) this.#edit()
  }

  #edit(): void {
    const known = [...this.files.keys()]
    const some = known[this.#below(known.length)]
    const kind = this.#below(10)
    if (some === undefined || kind < 4) this.#write(`${this.#name}/d${this.#below(5)}/f${this.#edits++}`)
    else if (kind < 7) this.#write(some)
    else if (kind < 8) this.#rename(some)
    else this.#remove(some)
  }

  #write(path: string): void {
    const text = `${this.#edits++} ${'x'.repeat(this.#below(this.#below(8) === 0 ? 200_000 : 4000))}`
    const target = join(this.#folder, path)
    mkdirSync(dirname(target), { recursive: true })
    const isSavedBeside = this.#below(2) === 0
    const written = isSavedBeside ? `${target}.swp` : target
    writeFileSync(written, text)
    if (this.#skewMs !== 0) {
      const time = new Date(Date.now() + this.#skewMs)
      utimesSync(written, time, time)
    }
    if (isSavedBeside) renameSync(written, target)
    this.files.set(path, text)
  }

  #rename(path: string): void {
    const target = `${this.#name}/d${this.#below(5)}/f${this.#edits++}`
    mkdirSync(dirname(join(this.#folder, target)), { recursive: true })
    renameSync(join(this.#folder, path), join(this.#folder, target))
    this.files.set(target, this.files.get(path) ?? '')
    this.files.delete(path)
  }

  #remove(path: string): void {
    rmSync(join(this.#folder, path))
    this.files.delete(path)
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }
}
