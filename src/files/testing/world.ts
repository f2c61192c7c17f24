import { agreementOn } from '../agreement.ts'
import type { BaseTree } from '../base/base.ts'
import { emptyBase } from '../base/base.ts'
import { baseEntryCodec } from '../base/codec.ts'
import { applyDelta, nodeAt } from '../delta.ts'
import { entryCodec } from '../entry-codec.ts'
import type { Contact, Mode } from '../mode.ts'
import type { Clocks } from '../newest.ts'
import { packTree } from '../packed.ts'
import type { Plan } from '../plan.ts'
import { reconcile } from '../reconcile.ts'
import type { Scope } from '../scope.ts'
import type { Side } from '../side.ts'
import { otherSide } from '../side.ts'
import type { Digests } from '../spot.ts'
import type { Digest, Path, Stamp, Tree } from '../tree.ts'
import type { Edit } from './memory-files.ts'
import { digestOf, MemoryFiles } from './memory-files.ts'

type Asked = Map<Path, { stamp: Stamp; digest: Digest }>

/** Two sides and a base, and what a session does with them, one thing after the other. */
export class World {
  readonly local = new MemoryFiles(0)
  readonly remote = new MemoryFiles(1_000_000)
  base: BaseTree = emptyBase
  mode: Mode = 'two-way-safe'
  firstContact: Contact = 'merge'
  volumes: readonly Path[] = []
  clocks: Clocks | undefined
  digests: Record<Side, Asked> = { local: new Map(), remote: new Map() }

  edit(side: Side, edits: readonly Edit[]): void {
    for (const edit of edits) this[side].edit(edit)
  }

  plan(scope: Scope = 'all'): Plan {
    const { base } = this
    return this.planFor({ base, local: this.local.tree(), remote: this.remote.tree() }, scope)
  }

  /** The same, with trees as they are held for long. */
  planPacked(): Plan {
    const [local, remote] = [this.local, this.remote].map((side) => {
      const tree = side.tree()
      return tree && packTree(tree, entryCodec)
    })
    return this.planFor({ base: packTree(this.base, baseEntryCodec), local, remote }, 'all')
  }

  private planFor(trees: { base: BaseTree; local: Tree; remote: Tree }, scope: Scope): Plan {
    const { mode, firstContact, volumes, digests, clocks } = this
    return reconcile({
      ...trees,
      mode,
      firstContact,
      volumes,
      scope,
      locked: new Set(),
      clocks,
      digests: digests satisfies Digests,
    })
  }

  /** Plans and carries out until there is nothing left to do; returns the plan that says so. */
  settle(): Plan {
    for (let round = 0; round < 6; round++) {
      const plan = this.plan()
      if (isNothing(plan)) return plan
      this.carryOut(plan)
    }
    throw new Error(`not settled: ${JSON.stringify(this.plan())}`)
  }

  carryOut(plan: Plan): void {
    this.base = applyDelta(this.base, plan.agreed) ?? emptyBase
    for (const side of ['local', 'remote'] as const) {
      for (const { path, stamp } of plan.needs[side]) {
        const content = this[side].read(path, stamp)
        if (content !== undefined) this.digests[side].set(path, { stamp, digest: digestOf(content) })
      }
      for (const operation of plan[side]) {
        const outcome = this[side].carryOut(operation, this[otherSide[side]].read)
        if (outcome.result !== 'done') throw new Error(`${JSON.stringify(operation)}: ${outcome.result}`)
        const { path } = operation
        const other = nodeAt(this[otherSide[side]].tree(), path)?.entry
        const base = nodeAt(this.base, path)?.entry
        const update = agreementOn({ side, operation, written: outcome.entry, base, other })
        if (update !== undefined) this.base = applyDelta(this.base, [update]) ?? emptyBase
      }
    }
  }
}

export function isNothing(plan: Plan): boolean {
  const { local, remote, agreed, needs } = plan
  return [local, remote, agreed, needs.local, needs.remote, needs.clocks].every((list) => list.length === 0)
}
