import type { Direction } from '../merge/decide.ts'
import type { BaseTree } from './base/base.ts'
import type { Verdict } from './change.ts'
import { isSettled, judge } from './change.ts'
import { describeConflict } from './conflict.ts'
import { mergeFiles } from './merge-files.ts'
import type { FirstContact, Mode } from './mode.ts'
import { joinPath } from './path.ts'
import type { Plan } from './plan.ts'
import { newDraft } from './plan.ts'
import type { Scope } from './scope.ts'
import { scopeOf } from './scope.ts'
import type { Digests, Place, Remains, Run, Spot, Triple } from './spot.ts'
import { BOTH, NONE, remaining } from './spot.ts'
import { transfer } from './transfer.ts'
import type { Path, Tree } from './tree.ts'

export interface ReconcileInput {
  readonly base: BaseTree
  readonly local: Tree
  readonly remote: Tree
  readonly mode: Mode
  readonly firstContact: FirstContact
  /** Everything, or the paths whose state may have changed; see `Scope`. */
  readonly scope: 'all' | Iterable<Path>
  /** Paths that are left alone for now, with all below them: operations on them are under way. */
  readonly blocked: ReadonlySet<Path>
  readonly digests: Digests
}

const directions: Readonly<Record<Mode, Direction>> = {
  'two-way-safe': 'two-way',
  'to-remote-safe': 'to-remote',
  'to-local-safe': 'to-local',
}

/**
 * Decides what is to be done so that both sides agree: a three-way merge of trees, path by path, by the tables
 * in `merge/decide.ts`. Pure. Costs as much as the scope holds. Nothing is planned while a root is missing.
 */
export function reconcile(input: ReconcileInput): Plan {
  const { base, local, remote, mode, firstContact, blocked, digests } = input
  const plan = newDraft()
  if (local?.children === undefined || remote?.children === undefined) return plan
  const descend = (place: Place, triple: Triple) => mergeChildren(run, place, { ...triple, scope: 'all' })
  const run: Run = { direction: directions[mode], contact: firstContact, blocked, digests, plan, descend }
  const root: Place = { path: '', parent: undefined, on: { local: true, remote: true } }
  const scope = input.scope === 'all' ? 'all' : scopeOf(input.scope)
  mergeChildren(run, root, { base, local, remote, scope })
  return plan
}

/** What is to be merged below a directory. */
interface Below extends Triple {
  readonly scope: Scope
}

function mergeChildren(run: Run, place: Place, { base, local, remote, scope }: Below): Remains {
  let remains = NONE
  const visit = (name: string, below: Scope) => {
    const triple: Triple = {
      base: base?.children?.get(name),
      local: local?.children?.get(name),
      remote: remote?.children?.get(name),
    }
    remains |= isSettled(triple)
      ? BOTH
      : mergeAt(run, { ...triple, path: joinPath(place.path, name), parent: place }, below)
  }
  if (scope !== 'all') {
    for (const [name, below] of scope) visit(name, below)
    return remains
  }
  for (const name of local?.children?.keys() ?? []) visit(name, 'all')
  for (const name of remote?.children?.keys() ?? []) if (!local?.children?.has(name)) visit(name, 'all')
  for (const name of base?.children?.keys() ?? []) {
    if (!local?.children?.has(name) && !remote?.children?.has(name)) visit(name, 'all')
  }
  return remains
}

function mergeAt(run: Run, spot: Spot, scope: Scope): Remains {
  const { base, local, remote, path } = spot
  // What is under way may end either way.
  if (run.blocked.has(path)) return BOTH
  if (local?.children === undefined || remote?.children === undefined) {
    return carryOut(run, spot, judge(run, spot))
  }
  const known = base?.children !== undefined
  if (!known) run.plan.agreed.push([path, { kind: 'directory' }])
  const place: Place = { path, parent: spot.parent, on: { local: true, remote: true } }
  mergeChildren(run, place, { base, local, remote, scope: known ? scope : 'all' })
  return BOTH
}

function carryOut(run: Run, spot: Spot, verdict: Verdict): Remains {
  const { path, base } = spot
  const local = spot.local?.entry
  const remote = spot.remote?.entry
  if (local?.kind === 'file' && remote?.kind === 'file') {
    const before = base?.entry.kind === 'file' ? base.entry : undefined
    const localWins = verdict.decision === 'local-wins'
    const settled = mergeFiles(run, { path, base: before, local, remote, localWins })
    return settled ? BOTH : conflict(run, spot, verdict)
  }
  switch (verdict.decision) {
    case 'keep':
      return remaining(spot)
    case 'agree':
      if (base !== undefined && local === undefined) run.plan.agreed.push([path, null])
      return remaining(spot)
    case 'to-local':
      return transfer(run, spot, 'local') ?? conflict(run, spot, verdict)
    case 'to-remote':
      return transfer(run, spot, 'remote') ?? conflict(run, spot, verdict)
    case 'compare':
    case 'local-wins':
      if (local?.kind === 'symlink' && remote?.kind === 'symlink' && local.target === remote.target) {
        run.plan.agreed.push([path, { kind: 'symlink', target: local.target }])
        return BOTH
      }
      if (verdict.decision === 'compare') return conflict(run, spot, verdict)
      return transfer(run, spot, 'remote') ?? conflict(run, spot, verdict)
  }
}

function conflict(run: Run, spot: Spot, verdict: Verdict): Remains {
  run.plan.conflicts.push({ path: spot.path, message: describeConflict(spot, verdict) })
  return remaining(spot)
}
