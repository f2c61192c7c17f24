import type { RuleFile, RuleFileKind, RuleSet } from '../ignore/rule-set.ts'
import { MAX_RULE_FILES, MAX_RULES, ruleFileKinds } from '../ignore/rule-set.ts'
import { Rules, type Verdict } from '../ignore/rules.ts'
import type { Path } from '../tree.ts'
import type { Dir } from './dir.ts'
import type { Folder } from './holding.ts'
import type { Refusal } from './refusal.ts'
import { closed, type FoundRules, readRules, ruleFileKind, ruleFileName } from './rule-files.ts'
import { TRASH_INSIDE } from './temporary.ts'

/** What a replica is told to go by. */
export interface RulesToFollow {
  readonly rules: RuleSet
  /** Rule files that it is to find and obey by itself, as only the laptop does. */
  readonly reads: readonly RuleFileKind[]
}

/**
 * An editor may remove a file, or empty it, a moment before it writes it anew. For so long (milliseconds) the rules that
 * are gone still hold, or all that they ignore would be on its way.
 */
const GRACE = 500

export interface RulingOptions {
  /** A directory is to be listed again, so many milliseconds from now. */
  readonly listLater: (directory: Path, ms: number) => void
}

interface Held {
  /** The directory as it is in the tree, or is about to be. */
  readonly folder: Folder
  readonly files: readonly RuleFile[]
  readonly refused: ReadonlyMap<RuleFileKind, Refusal>
  /** Since when rules that still hold are gone from disk. */
  readonly goneSince: number | undefined
}

/**
 * The rules that a replica goes by: those it was given, and those it finds if it is to. Above them all, a trash is
 * ignored: then the folder that it is in stays, as one with anything else that is ignored.
 */
export class Ruling {
  private readonly rules = new Rules()
  private readonly options: RulingOptions
  private reads: readonly RuleFileKind[] = []
  private readonly held = new Map<Path, Held>()
  /** Of the files that were found, in UTF-16 units. */
  private size = 0

  constructor(options: RulingOptions) {
    this.options = options
  }

  /** What is in force, to tell others; undefined if they told us. */
  get found(): RuleSet | undefined {
    return this.reads.length === 0 ? undefined : this.inForce
  }

  /** What it goes by: the same object for as long as that does not change. */
  get inForce(): RuleSet {
    return this.rules.ruleSet
  }

  /** What becomes of symlinks. */
  get symlinks(): RuleSet['symlinks'] {
    return this.rules.ruleSet.symlinks
  }

  verdict({ path }: Folder, name: string): Verdict {
    return name === TRASH_INSIDE ? 'ignored' : this.rules.verdict(path, name)
  }

  ignores({ path }: Folder, name: string, isDirectory: boolean): boolean {
    return name === TRASH_INSIDE || this.rules.ignores(path, name, isDirectory)
  }

  /** Whether a change of that name may change the rules of its directory. */
  isRuleFile(name: string): boolean {
    const kind = ruleFileKind(name)
    return kind !== undefined && this.reads.includes(kind)
  }

  /** Goes by other rules from now on. Returns the directories below which something changed. */
  follow({ rules, reads }: RulesToFollow): Path[] {
    this.reads = reads
    this.held.clear()
    this.size = 0
    return this.rules.replace(rules)
  }

  /** Why a rule file cannot be obeyed. */
  refusalOf({ path }: Folder, name: string): Refusal | undefined {
    const kind = this.reads.length === 0 ? undefined : ruleFileKind(name)
    return kind && this.held.get(path)?.refused.get(kind)
  }

  /**
   * Reads the rule files of a directory that was listed. Returns whether what holds below it changed.
   * @param names what is in it
   */
  refresh(dir: Dir, folder: Folder, names: readonly string[]): boolean {
    const { path } = folder
    const known = this.held.get(path)
    const kinds = this.reads.filter((kind) => isIn(kind, path, names))
    if (kinds.length === 0 && known === undefined) return false
    const before = known?.folder === folder ? known : undefined
    const refused = new Map<RuleFileKind, Refusal>()
    const found = kinds.flatMap((kind): RuleFile[] => {
      const rules = this.admitted(path, readRules(dir, kind))
      if (rules === undefined) return []
      if ('text' in rules) return [{ directory: path, kind, text: rules.text }]
      refused.set(kind, rules.refusal)
      return [{ directory: path, kind, text: `*\n!/.${kind}\n` }]
    })
    const gone = (before?.files ?? []).filter(
      (old) => old.text !== '' && (found.find(({ kind }) => kind === old.kind)?.text ?? '') === '',
    )
    const goneSince = gone.length === 0 ? undefined : this.stillHeld(path, before)
    const files =
      goneSince === undefined
        ? found
        : [...found.filter(({ kind }) => !gone.some((old) => old.kind === kind)), ...gone]
    if (before !== undefined || files.length > 0) this.hold({ folder, files, refused, goneSince })
    return this.rules.setFiles(path, files)
  }

  /** A directory is no longer part of the tree, or never became one. */
  forget(folder: Folder): void {
    const held = this.held.get(folder.path)
    if (held?.folder !== folder) return
    this.held.delete(folder.path)
    this.size -= sizeOf(held.files)
    this.rules.setFiles(folder.path, [])
  }

  /** Since when rules are gone that are to hold a little longer; undefined if that is over. */
  private stillHeld(path: Path, before: Held | undefined): number | undefined {
    const now = performance.now()
    const since = before?.goneSince ?? now
    const left = since + GRACE - now
    if (left <= 0) return undefined
    this.options.listLater(path, left)
    return since
  }

  private hold(held: Held): void {
    const { path } = held.folder
    this.size += sizeOf(held.files) - sizeOf(this.held.get(path)?.files ?? [])
    if (held.files.length === 0) this.held.delete(path)
    else this.held.set(path, held)
  }

  /** There is an end to how much may be said. */
  private admitted(path: Path, found: FoundRules): FoundRules {
    if (found === undefined || 'refusal' in found) return found
    const isFull = !this.held.has(path) && this.held.size >= MAX_RULE_FILES / ruleFileKinds.length
    return isFull || this.size + found.text.length > MAX_RULES
      ? { refusal: closed('is one rule file too many') }
      : found
  }
}

function isIn(kind: RuleFileKind, directory: Path, names: readonly string[]): boolean {
  return kind === 'exclude' ? directory === '' : names.includes(ruleFileName(kind))
}

function sizeOf(files: readonly RuleFile[]): number {
  return files.reduce((sum, { text }) => sum + text.length, 0)
}
