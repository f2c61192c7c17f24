/** Plans what makes a side's path what the other side's is. */
import type { Expectation } from './operation.ts'
import { joinPath } from './path.ts'
import type { Side } from './side.ts'
import { otherSide } from './side.ts'
import type { Place, Remains, Run, Spot } from './spot.ts'
import { BOTH, NONE, only, placeAt } from './spot.ts'
import type { Entry, Node, Path } from './tree.ts'
import { type Way, type Ways, writes } from './ways.ts'

/** Returns what remains, or undefined if the path cannot be made so because of what is below it. */
export function transfer(run: Run, spot: Spot, to: Side): Remains | undefined {
  const source = spot[otherSide[to]]
  const target = spot[to]
  if (source?.children !== undefined) return transferDirectory(run, spot, to)
  if (source === undefined)
    return target?.children === undefined ? removeLeaf(run, spot, to) : removeDirectory(run, spot, to)
  if (target?.children === undefined) {
    createLeaf(run, { spot, to, expect: target === undefined ? 'absent' : expectationOf(target.entry) })
    return BOTH
  }
  if (isBusyBelow(run, spot.path)) return BOTH
  if (!isRemovable(run.ways, { to, way: spot.way, path: spot.path, node: target })) return undefined
  removeAll(run, to, spot.path, target)
  createLeaf(run, { spot, to, expect: 'absent' })
  return BOTH
}

function transferDirectory(run: Run, spot: Spot, to: Side): Remains {
  if (spot[to] !== undefined) removeLeaf(run, spot, to)
  const place = placeAt({ ...spot, [to]: undefined }, { local: to === 'remote', remote: to === 'local' })
  ensureDirectory(run, place, to)
  run.descend(place)
  return BOTH
}

/**
 * Removes what the other side has removed. What has changed in it stays, and comes back on the other side. What is
 * ignored in it stays as well, and with it the directory, until that is gone.
 */
function removeDirectory(run: Run, spot: Spot, from: Side): Remains {
  const remains = run.descend(placeAt(spot, { local: from === 'local', remote: from === 'remote' }))
  if (holdsIgnored(spot[from])) return remains | only[from]
  if ((remains & only[from]) !== NONE) return remains
  return removeLeaf(run, spot, from)
}

function removeLeaf(run: Run, spot: Spot, from: Side): Remains {
  const entry = spot[from]?.entry
  if (entry !== undefined)
    run.plan[from].push({ op: 'remove', path: spot.path, expect: expectationOf(entry) })
  return NONE
}

/** Children first. */
function removeAll(run: Run, from: Side, path: Path, node: Node): void {
  for (const [name, child] of node.children ?? []) removeAll(run, from, joinPath(path, name), child)
  run.plan[from].push({ op: 'remove', path, expect: expectationOf(node.entry) })
}

interface Creation {
  readonly spot: Spot
  readonly to: Side
  readonly expect: Expectation
}

function createLeaf(run: Run, { spot, to, expect }: Creation): void {
  const { path, parent } = spot
  const entry = spot[otherSide[to]]?.entry
  ensureDirectory(run, parent, to)
  if (entry?.kind === 'symlink') run.plan[to].push({ op: 'symlink', path, expect, target: entry.target })
  if (entry?.kind !== 'file') return
  const { executable, stamp, digest } = entry
  const source = digest === undefined ? { stamp } : { stamp, digest }
  run.plan[to].push({ op: 'put', path, expect, executable, source })
}

/** Plans a directory where it is not, and those above it. */
function ensureDirectory(run: Run, place: Place | undefined, side: Side): void {
  if (place === undefined || place.on[side]) return
  ensureDirectory(run, place.parent, side)
  run.plan[side].push({ op: 'mkdir', path: place.path, expect: 'absent' })
  place.on[side] = true
}

function holdsIgnored(node: Node | undefined): boolean {
  return node?.entry.kind === 'directory' && node.entry.hasIgnored === true
}

/** Something that may have to go, with all below it. */
export interface Removal {
  readonly to: Side
  readonly way: Way
  readonly path: Path
  readonly node: Node
}

/** Whether it can go as a whole: nothing in it is out of reach, ignored, or never written on that side. */
export function isRemovable(ways: Ways, { to, way, path, node }: Removal): boolean {
  if (node.entry.kind === 'opaque' || holdsIgnored(node) || !writes(way, to)) return false
  for (const [name, child] of node.children ?? []) {
    const below = joinPath(path, name)
    const wayBelow = ways.below(way, below, child.children !== undefined)
    if (!isRemovable(ways, { to, way: wayBelow, path: below, node: child })) return false
  }
  return true
}

/** Whether something is under way somewhere in a directory. */
export function isBusyBelow(run: Run, directory: Path): boolean {
  for (const path of run.locked.keys()) if (path.startsWith(`${directory}/`)) return true
  return false
}

function expectationOf(entry: Entry): Expectation {
  // What is opaque is never written to; if it were, nothing on disk would be as absent as expected.
  return entry.kind === 'opaque' ? 'absent' : entry.stamp
}
