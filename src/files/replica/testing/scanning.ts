import { expect, onTestFinished } from 'vitest'
import { applyDelta } from '../../delta.ts'
import { noRules } from '../../ignore/rule-set.ts'
import type { Problem } from '../../operation.ts'
import type { Delta, Path, Tree } from '../../tree.ts'
import type { Dir } from '../dir.ts'
import { openDirectory } from '../open-directory.ts'
import type { RulesToFollow } from '../ruling.ts'
import { Scanner } from '../scanner.ts'
import { diskAsText, treeAsText } from './disk.ts'

/** A scanner of a directory, and what somebody knows who listens to it. */
export class Scanning {
  readonly scanner: Scanner
  tree: Tree
  readonly problems = new Map<Path, Problem>()
  readonly deltas: Delta[] = []
  private readonly root: string
  private listeners: (() => void)[] = []

  constructor(
    root: string,
    open: (path: string) => Dir = openDirectory,
    { signsAhead, ...orders }: Partial<RulesToFollow> & { signsAhead?: boolean } = {},
  ) {
    this.root = root
    this.scanner = new Scanner({
      signsAhead,
      openRoot: () => ({ dir: open(root), storage: { kind: 'local', id: '' } }),
      onPass: ({ delta, problems }) => {
        this.tree = applyDelta(this.tree, delta)
        if (delta.length > 0) this.deltas.push(delta)
        for (const [path, problem] of problems) {
          if (problem === null) this.problems.delete(path)
          else this.problems.set(path, problem)
        }
        for (const listener of this.listeners.splice(0)) listener()
      },
      onRest: () => {},
      onFailure: (error) => {
        throw error
      },
    })
    void this.scanner.follow({ rules: noRules, reads: [], ...orders })
    onTestFinished(() => this.scanner.close())
  }

  async rescan(paths: readonly Path[] | 'all' = 'all'): Promise<void> {
    await this.scanner.rescan(paths)
  }

  /** Resolves when the tree is what is on disk, by what the watches report alone. */
  async convergence(limit = 10_000): Promise<void> {
    const deadline = performance.now() + limit
    while (!this.isTrue()) {
      if (performance.now() > deadline) expect(treeAsText(this.tree)).toEqual(diskAsText(this.root))
      await this.nextPass()
    }
  }

  async disappearance(): Promise<void> {
    while (this.tree !== undefined) await this.nextPass()
  }

  nextPass(): Promise<void> {
    return new Promise((resolve) => {
      this.listeners.push(resolve)
    })
  }

  private isTrue(): boolean {
    return JSON.stringify(treeAsText(this.tree)) === JSON.stringify(diskAsText(this.root))
  }
}
