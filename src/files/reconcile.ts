import { agreedDirectory, type BaseTree, isRemounted } from './base/base.ts'
import type { Verdict } from './change.ts'
import { isSettled, judge, unreadAt } from './change.ts'
import { describeConflict, describeRemount } from './conflict.ts'
import { winnerOf } from './contest.ts'
import { mergeFiles } from './merge-files.ts'
import type { Contact, Mode } from './mode.ts'
import type { Clocks } from './newest.ts'
import { directoriesIn } from './packed.ts'
import { joinPath } from './path.ts'
import type { Plan } from './plan.ts'
import { newDraft } from './plan.ts'
import type { Scope } from './scope.ts'
import { holdsAgreed } from './settled-leaves.ts'
import { otherSide } from './side.ts'
import type { Digests, Locked, Place, Remains, Run, Spot } from './spot.ts'
import { BOTH, modeAt, NONE, placeAt, remaining } from './spot.ts'
import { isBusyBelow, transfer } from './transfer.ts'
import type { Path, Tree } from './tree.ts'
import { type Exclusions, Ways } from './ways.ts'

export interface ReconcileInput {
  readonly base: BaseTree
  readonly local: Tree
  readonly remote: Tree
  readonly mode: Mode
  /** What does not travel one way although the mode would have it. */
  readonly exclusions?: Exclusions | undefined
  readonly firstContact: Contact
  /** Paths on remote that are not seeded, though the rest may be. */
  readonly volumes?: readonly Path[]
  /** Where to look. */
  readonly scope: Scope
  /** Paths at which something is under way. */
  readonly locked: Locked
  readonly digests: Digests
  /** How the clocks of both sides differ, if that was asked for. */
  readonly clocks?: Clocks | undefined
}

/**
 * Decides what is to be done so that both sides agree: a three-way merge of trees, path by path, by the tables
 * in `merge/decide.ts`. Pure. Costs as much as the scope holds. Nothing is planned while a root is missing.
 */
export function reconcile(input: ReconcileInput): Plan {
  const { base, local, remote, mode, exclusions, firstContact, volumes = [], locked, digests, clocks } = input
  const plan = newDraft()
  if (local?.children === undefined || remote?.children === undefined) return plan
  const ways = new Ways(mode, exclusions)
  const descend = (place: Place) => mergeChildren(run, place, 'all')
  const run: Run = {
    ways,
    contact: firstContact,
    volumes,
    locked,
    digests,
    clocks,
    plan,
    descend,
  }
  const root: Spot = { path: '', parent: undefined, base, local, remote, way: ways.first }
  mergeChildren(run, placeAt(root, { local: true, remote: true }), input.scope)
  return plan
}

function mergeChildren(run: Run, place: Place, scope: Scope): Remains {
  const base = place.base?.children
  const local = place.local?.children
  const remote = place.remote?.children
  let remains = NONE
  const visit = (name: string, below: Scope) => {
    const before = base?.get(name)
    const here = local?.get(name)
    const there = remote?.get(name)
    if (isSettled(before, here, there)) remains = BOTH
    else {
      const path = joinPath(place.path, name)
      const isDirectory = (here ?? there ?? before)?.children !== undefined
      const way = run.ways.below(place.way, path, isDirectory || there?.children !== undefined)
      remains |= mergeAt(run, { path, parent: place, base: before, local: here, remote: there, way }, below)
    }
  }
  if (scope !== 'all') for (const [name, below] of scope) visit(name, below)
  else if (holdsAgreed('local', base, local) && holdsAgreed('remote', base, remote)) {
    if (local !== undefined && local.size > directoriesIn(local).size) remains = BOTH
    const all = [local, remote, base].flatMap((one) => (one ? [...directoriesIn<unknown>(one).keys()] : []))
    for (const name of new Set(all)) visit(name, 'all')
  } else {
    for (const name of local?.keys() ?? []) visit(name, 'all')
    for (const name of remote?.keys() ?? []) if (!local?.has(name)) visit(name, 'all')
    for (const name of base?.keys() ?? []) if (!local?.has(name) && !remote?.has(name)) visit(name, 'all')
  }
  return remains
}

function mergeAt(run: Run, spot: Spot, scope: Scope): Remains {
  const { base, local, remote, path } = spot
  // What is under way may end either way.
  if (run.locked.has(path)) return BOTH
  if (local?.children === undefined || remote?.children === undefined) {
    if (spot.way === 'none' && (local ?? remote) !== undefined) return remaining(spot)
    return carryOut(run, spot, judge(run, spot))
  }
  const known = base?.children !== undefined
  const moved = (['local', 'remote'] as const).find((side) =>
    isRemounted(base?.entry, spot[side]?.entry, side),
  )
  if (moved !== undefined) {
    run.plan.conflicts.push({ path, message: describeRemount(spot, moved) })
    return BOTH
  }
  if (!known) run.plan.agreed.push([path, agreedDirectory({ local: local.entry, remote: remote.entry })])
  mergeChildren(run, placeAt(spot, { local: true, remote: true }), known ? scope : 'all')
  return BOTH
}

function carryOut(run: Run, spot: Spot, verdict: Verdict): Remains {
  const { path, base } = spot
  const local = spot.local?.entry
  const remote = spot.remote?.entry
  if (local?.kind === 'file' && remote?.kind === 'file') {
    const before = base?.entry.kind === 'file' ? base.entry : undefined
    const { decision } = verdict
    const settled = mergeFiles(run, { path, base: before, local, remote, mode: modeAt(spot), decision })
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
    default:
      return contest(run, spot, verdict)
  }
}

function contest(run: Run, spot: Spot, verdict: Verdict): Remains {
  const { path } = spot
  const local = spot.local?.entry
  const remote = spot.remote?.entry
  if (local?.kind === 'symlink' && remote?.kind === 'symlink' && local.target === remote.target) {
    run.plan.agreed.push([path, { kind: 'symlink', target: local.target }])
    return BOTH
  }
  // What a sync is making in a folder is nobody's doing.
  if ((spot.local?.children ?? spot.remote?.children) !== undefined && isBusyBelow(run, path)) return BOTH
  const unread = unreadAt(run, spot)
  if (unread.length > 0) {
    // What was only touched is nothing done.
    for (const { side, path, entry } of unread) run.plan.needs[side].push({ path, stamp: entry.stamp })
    return remaining(spot)
  }
  const winner = winnerOf(run, verdict.decision, { path, local, remote })
  if (winner === 'later') return remaining(spot)
  const taken = winner === 'nobody' ? undefined : transfer(run, spot, otherSide[winner])
  return taken ?? conflict(run, spot, verdict)
}

function conflict(run: Run, spot: Spot, verdict: Verdict): Remains {
  const isTwin = verdict.decision === 'keep-both'
  const message = describeConflict(spot, verdict)
  run.plan.conflicts.push({ path: spot.path, message, ...(isTwin && { isTwin }) })
  return remaining(spot)
}
