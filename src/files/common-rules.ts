import type { BaseTree, BaseUpdate } from './base/base.ts'
import type { BaseStore } from './base/store.ts'
import { nodeAt } from './delta.ts'
import { digestOfRules, type RuleFile, type RuleSet } from './ignore/rule-set.ts'
import { Rules } from './ignore/rules.ts'
import { joinPath } from './path.ts'
import type { Replica } from './replica/replica.ts'
import type { Side } from './side.ts'
import type { Path } from './tree.ts'

export interface CommonRulesOptions {
  readonly replicas: Readonly<Record<Side, Replica>>
  readonly base: BaseStore
  /** Called when the other side has come to go by the same rules. */
  readonly onChange: () => void
}

/**
 * Sees to it that nothing is compared that was not made by the same rules. The laptop finds them. When they change, the
 * base first forgets what is ignored now, so that what comes back one day meets as for the first time; then the
 * other side is told, and until it has answered with a tree by those rules, nothing may be planned.
 */
export class CommonRules {
  private readonly options: CommonRulesOptions
  private wanted: RuleSet | undefined
  private source: RuleSet | undefined
  /** What is kept although the laptop has its directory no more. */
  private lingering: readonly RuleFile[] = []
  /** The digest of what the other side was told and has not answered to. */
  private told: string | undefined

  constructor(options: CommonRulesOptions) {
    this.options = options
  }

  /**
   * To be called before each plan.
   * @returns whether other rules hold than at the last call, and whether both sides go by them
   */
  check(): { readonly isNew: boolean; readonly isCommon: boolean } {
    const { replicas, base } = this.options
    const own = replicas.local.rules
    if (own === undefined) return { isNew: false, isCommon: false }
    const before = this.wanted
    const wanted = this.complete(own)
    if (wanted !== before) this.adopt(wanted, base)
    const there = replicas.remote.rules
    const isCommon = there !== undefined && digestOfRules(there) === digestOfRules(wanted)
    if (!isCommon) this.tell(wanted)
    return { isNew: before !== undefined && wanted !== before, isCommon }
  }

  /**
   * The laptop's rules, and those of directories that it has no more while the other side could not remove them
   * yet, for what is ignored in them: without its rules that would look new, and come here.
   */
  private complete(own: RuleSet): RuleSet {
    const isSame = own === this.source
    if (isSame && this.lingering.length === 0 && this.wanted !== undefined) return this.wanted
    const before = isSame ? this.lingering : (this.options.base.rules?.files ?? [])
    const lingering = before.filter((file) => this.isLeftBehind(file) && !has(own, file))
    if (isSame && lingering.length === this.lingering.length && this.wanted !== undefined) return this.wanted
    this.source = own
    this.lingering = lingering
    this.wanted = lingering.length === 0 ? own : { ...own, files: [...own.files, ...lingering] }
    return this.wanted
  }

  private isLeftBehind({ directory }: RuleFile): boolean {
    const { replicas, base } = this.options
    if (nodeAt(replicas.local.tree, directory)?.children !== undefined) return false
    return nodeAt(base.tree, directory)?.children !== undefined
  }

  private adopt(wanted: RuleSet, base: BaseStore): void {
    if (base.rules !== undefined && digestOfRules(base.rules) === digestOfRules(wanted)) return
    base.commit(ignoredIn(base.tree, new Rules(wanted)))
    base.setRules(wanted)
  }

  private tell(wanted: RuleSet): void {
    const digest = digestOfRules(wanted)
    if (this.told === digest) return
    this.told = digest
    const answered = () => {
      if (this.told === digest) this.told = undefined
      this.options.onChange()
    }
    // One that cannot answer is about to be closed.
    this.options.replicas.remote.follow(wanted).then(answered, () => {})
  }
}

function has({ files }: RuleSet, { directory, kind }: RuleFile): boolean {
  return files.some((file) => file.directory === directory && file.kind === kind)
}

/** What takes out of a base all that is ignored. */
function ignoredIn(tree: BaseTree, rules: Rules): BaseUpdate[] {
  const updates: BaseUpdate[] = []
  const look = (directory: Path, { children }: BaseTree) => {
    for (const [name, child] of children ?? []) {
      const path = joinPath(directory, name)
      if (rules.ignores(directory, name, child.children !== undefined)) updates.push([path, null])
      else look(path, child)
    }
  }
  look('', tree)
  return updates
}
