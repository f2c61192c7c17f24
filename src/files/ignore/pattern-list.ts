import { ANY_NAMES, bytesOf, matchesName, matchesPath } from './glob.ts'
import type { Pattern } from './pattern.ts'

/** A path to compare with patterns, as it is from where they stand. */
export class Candidate {
  /** The last name, in bytes. */
  readonly name: string
  private readonly path: string
  private bytes: string | undefined
  private split: readonly string[] | undefined

  constructor(path: string) {
    this.path = path
    this.name = bytesOf(path.slice(path.lastIndexOf('/') + 1))
  }

  /** All of it, in bytes. */
  get text(): string {
    this.bytes ??= bytesOf(this.path)
    return this.bytes
  }

  get names(): readonly string[] {
    this.split ??= this.text.split('/')
    return this.split
  }
}

/**
 * Patterns in their order, of which the last one that matches decides. Those that are plain names, plain paths or
 * endings, which are nearly all, are looked up; only the rest is compared one by one.
 */
export class PatternList {
  readonly isEmpty: boolean
  private readonly patterns: readonly Pattern[]
  /** Positions of patterns, ascending, by the name, path or extension that they need. */
  private readonly names = new Map<string, number[]>()
  private readonly paths = new Map<string, number[]>()
  private readonly extensions = new Map<string, number[]>()
  private readonly others: number[] = []

  constructor(patterns: readonly Pattern[]) {
    this.patterns = patterns
    this.isEmpty = patterns.length === 0
    for (const [i, pattern] of patterns.entries()) this.place(pattern, i)
  }

  /** The pattern that decides on a path whose directories are not ignored; undefined if none says anything. */
  find(candidate: Candidate, isDirectory: boolean): Pattern | undefined {
    if (this.isEmpty) return undefined
    const { name } = candidate
    let best = -1
    const consider = (positions: readonly number[] | undefined) => {
      if (positions === undefined) return
      for (let i = positions.length - 1; i >= 0; i--) {
        const at = positions[i] ?? -1
        if (at <= best) return
        const pattern = this.patterns[at]
        if (pattern === undefined || (pattern.directoriesOnly && !isDirectory)) continue
        if (isMatch(pattern, candidate)) best = at
      }
    }
    consider(this.names.get(name))
    if (this.paths.size > 0) consider(this.paths.get(candidate.text))
    if (this.extensions.size > 0) consider(this.extensions.get(extensionOf(name)))
    consider(this.others)
    return this.patterns[best]
  }

  private place(pattern: Pattern, position: number): void {
    const [first] = pattern.glob
    if (!pattern.anyDepth) {
      const path = plainPath(pattern)
      if (path === undefined) this.others.push(position)
      else push(this.paths, path, position)
    } else if (first !== undefined && first !== ANY_NAMES && first.kind === 'literal') {
      push(this.names, first.text, position)
    } else if (
      first !== undefined &&
      first !== ANY_NAMES &&
      first.kind === 'suffix' &&
      first.text.includes('.')
    ) {
      push(this.extensions, extensionOf(first.text), position)
    } else this.others.push(position)
  }
}

function isMatch({ glob, anyDepth }: Pattern, { name, names }: Candidate): boolean {
  if (!anyDepth) return matchesPath(glob, names)
  const [first] = glob
  return first !== undefined && first !== ANY_NAMES && matchesName(first, name)
}

function plainPath({ glob }: Pattern): string | undefined {
  const names: string[] = []
  for (const part of glob) {
    if (part === ANY_NAMES || part.kind !== 'literal') return undefined
    names.push(part.text)
  }
  return names.join('/')
}

function extensionOf(name: string): string {
  return name.slice(Math.max(0, name.lastIndexOf('.')))
}

function push(map: Map<string, number[]>, key: string, position: number): void {
  const positions = map.get(key)
  if (positions === undefined) map.set(key, [position])
  else positions.push(position)
}
