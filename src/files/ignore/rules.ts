import { joinPath, parentOf } from '../path.ts'
import type { Path } from '../tree.ts'
import { type Pattern, readPatterns } from './pattern.ts'
import { Candidate, PatternList } from './pattern-list.ts'
import { noRules, type RuleFile, type RuleFileKind, type RuleSet, ruleFileKinds } from './rule-set.ts'
import { vcsPatterns } from './vcs.ts'

/** What becomes of a name, of which nothing more is known: it may depend on whether it is a directory. */
export type Verdict = 'ignored' | 'kept' | 'by-kind'

/** Patterns, and the directory from which they count. */
interface Layer {
  readonly directory: Path
  readonly patterns: Pick<PatternList, 'isEmpty' | 'find'>
}

interface FileRules extends Layer {
  readonly file: RuleFile
}

/**
 * A rule set, ready to be asked. A name is judged by the first layer with a pattern that matches: those of the spec,
 * version control, every .ksyncignore from the name's directory upwards, the same of .gitignore, and at last
 * git's exclude file. What is in an ignored directory is ignored: it is not asked about.
 */
export class Rules {
  private given: Omit<RuleSet, 'files'> = noRules
  private fixed: readonly Layer[] = []
  private readonly files = new Map<Path, ReadonlyMap<RuleFileKind, FileRules>>()
  private set: RuleSet | undefined
  /** What holds in the directory that was asked about last: mostly it is asked about again. */
  private recent: { readonly directory: Path; readonly layers: readonly Layer[] } | undefined

  constructor(rules: RuleSet = noRules) {
    this.replace(rules)
  }

  /** What it goes by now: the same object for as long as that does not change. */
  get ruleSet(): RuleSet {
    this.set ??= { ...this.given, files: this.allFiles }
    return this.set
  }

  /** Goes by these rules alone. Returns the directories in which something changed. */
  replace(rules: RuleSet): Path[] {
    const byDirectory = new Map<Path, RuleFile[]>()
    for (const file of rules.files)
      byDirectory.set(file.directory, [...(byDirectory.get(file.directory) ?? []), file])
    const changed = this.setGiven(rules) ? [''] : []
    for (const directory of new Set([...this.files.keys(), ...byDirectory.keys()])) {
      if (this.setFiles(directory, byDirectory.get(directory) ?? [])) changed.push(directory)
    }
    return changed
  }

  /** These are the rule files of a directory from now on. Returns whether that changes anything. */
  setFiles(directory: Path, files: readonly RuleFile[]): boolean {
    const before = this.files.get(directory)
    const isSame = files.length === (before?.size ?? 0)
    if (isSame && files.every(({ kind, text }) => before?.get(kind)?.file.text === text)) return false
    const layers = files.map((file): FileRules => {
      const known = before?.get(file.kind)
      if (known?.file.text === file.text) return known
      return { file, directory, patterns: new PatternList(readPatterns(file.text)) }
    })
    if (files.length === 0) this.files.delete(directory)
    else this.files.set(directory, new Map(layers.map((layer) => [layer.file.kind, layer])))
    this.set = undefined
    this.recent = undefined
    return true
  }

  filesIn(directory: Path): readonly RuleFile[] {
    return [...(this.files.get(directory)?.values() ?? [])].map(({ file }) => file)
  }

  /** Whether a name in a directory, which is not ignored itself, is ignored. */
  ignores(directory: Path, name: string, isDirectory: boolean): boolean {
    const pattern = this.find(joinPath(directory, name), directory, isDirectory)
    return pattern !== undefined && !pattern.isNegated
  }

  verdict(directory: Path, name: string): Verdict {
    const path = joinPath(directory, name)
    const asDirectory = this.find(path, directory, true)
    if (asDirectory === undefined) return 'kept'
    if (!asDirectory.directoriesOnly) return asDirectory.isNegated ? 'kept' : 'ignored'
    const asFile = this.find(path, directory, false)
    const isIgnored = asFile !== undefined && !asFile.isNegated
    if (asDirectory.isNegated === isIgnored) return 'by-kind'
    return isIgnored ? 'ignored' : 'kept'
  }

  /** Whether a path, or a directory it is in, is ignored. */
  covers(path: Path, isDirectory: boolean): boolean {
    if (path === '') return false
    const directory = parentOf(path)
    const name = path.slice(path.lastIndexOf('/') + 1)
    return this.covers(directory, true) || this.ignores(directory, name, isDirectory)
  }

  private get allFiles(): RuleFile[] {
    return [...this.files.values()].flatMap((layers) => [...layers.values()].map(({ file }) => file))
  }

  private setGiven({ files: _, ...rules }: RuleSet): boolean {
    const { given } = this
    const { patterns, vcs } = rules
    const isSame = given.vcs === vcs && given.patterns.join('\n') === patterns.join('\n')
    this.given = rules
    this.fixed = [
      { directory: '', patterns: new PatternList(readPatterns(patterns.join('\n'))) },
      ...(vcs ? [{ directory: '', patterns: vcsPatterns }] : []),
    ]
    this.set = undefined
    this.recent = undefined
    return !isSame
  }

  /** The pattern that decides on a path. */
  private find(path: Path, directory: Path, isDirectory: boolean): Pattern | undefined {
    let from: Path | undefined
    let candidate: Candidate | undefined
    for (const layer of this.layersOf(directory)) {
      if (candidate === undefined || from !== layer.directory) {
        from = layer.directory
        candidate = new Candidate(from === '' ? path : path.slice(from.length + 1))
      }
      const found = layer.patterns.find(candidate, isDirectory)
      if (found !== undefined) return found
    }
    return undefined
  }

  private layersOf(directory: Path): readonly Layer[] {
    if (this.recent?.directory === directory) return this.recent.layers
    const layers = [...this.fixed]
    if (this.files.size > 0) {
      const upwards = ancestorsOf(directory).flatMap((at) => this.files.get(at) ?? [])
      for (const kind of ruleFileKinds) {
        for (const files of upwards) {
          const layer = files.get(kind)
          if (layer !== undefined) layers.push(layer)
        }
      }
    }
    const used = layers.filter(({ patterns }) => !patterns.isEmpty)
    this.recent = { directory, layers: used }
    return used
  }
}

/** A directory and those it is in, itself first. */
function ancestorsOf(directory: Path): Path[] {
  const all = [directory]
  for (let at = directory; at !== ''; ) {
    at = parentOf(at)
    all.push(at)
  }
  return all
}
