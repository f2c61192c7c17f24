/** What is done about a volume of a side that takes nothing: it is full, or was made read-only. */
import type { Operation, Problem } from './operation.ts'
import { joinPath, namesOf, parentOf } from './path.ts'
import type { Plan } from './plan.ts'
import { without } from './safety.ts'
import type { SidedProblem } from './setbacks.ts'
import type { Side } from './side.ts'
import type { Path, Tree } from './tree.ts'

/** In milliseconds. A refused volume is tried again after the first, then ever more slowly. */
const FIRST_PAUSE = 1_000
const MAX_PAUSE = 10_000
/** One that was free for so long begins anew. */
const MEMORY = 60_000

const READ_ONLY = 'EROFS'

/** A filesystem on a side: the one of the root, or one that is mounted below it. */
export interface Volume {
  readonly side: Side
  /** Where it is mounted. */
  readonly at: Path
}

/** The volume that a path is on, whether or not there is something at that path. */
export function volumeOf(side: Side, tree: Tree, path: Path): Volume {
  let at = ''
  let node = tree
  let here = ''
  for (const name of namesOf(parentOf(path))) {
    here = joinPath(here, name)
    node = node?.children?.get(name)
    if (node?.entry.kind === 'directory' && node.entry.isMount === true) at = here
  }
  return { side, at }
}

interface Blockade extends Volume {
  problem: Problem
  isOpen: boolean
  /** How often in a row it refused. */
  refusals: number
  /** When one operation is let through to see whether it is still so; or, if it is open, since when. */
  time: number
  isDue: boolean
  readonly held: Set<Path>
  /** What was refused: it goes last, or what does not fit would keep away what does. */
  readonly refused: Set<Path>
}

/** The volumes that take nothing, and what waits for them. Times are in milliseconds. */
export class Blockades {
  private readonly all = new Map<string, Blockade>()
  private readonly now: () => number

  constructor(now: () => number) {
    this.now = now
  }

  get isActive(): boolean {
    return this.closed.length > 0
  }

  /** When one is to be tried again. */
  get nextAt(): number | undefined {
    const times = this.closed.filter(({ isDue }) => !isDue).map(({ time }) => time)
    return times.length === 0 ? undefined : Math.min(...times)
  }

  get problems(): SidedProblem[] {
    return this.closed.filter(({ held }) => held.size > 0).map(describe)
  }

  /** An operation was refused for a reason of its volume. */
  refused(volume: Volume, problem: Problem): void {
    const key = keyOf(volume)
    const before = this.all.get(key)
    const now = this.now()
    const isOld = before?.isOpen === true && now - before.time > MEMORY
    const known = before === undefined || isOld ? 0 : before.refusals
    // What was under way at the same time says nothing new.
    const isTried = before === undefined || before.isOpen || now >= before.time - FIRST_PAUSE
    const refusals = isTried ? known + 1 : known
    const held = before?.held ?? new Set()
    const refused = isOld || before === undefined ? new Set<Path>() : before.refused
    refused.add(problem.path)
    const time = now + Math.min(MAX_PAUSE, FIRST_PAUSE * 2 ** (refusals - 1))
    this.all.set(key, { ...volume, problem, refusals, time, held, refused, isOpen: false, isDue: false })
  }

  /** An operation was carried out: the volume takes something again, or has more room. */
  succeeded(volume: Volume, operation: Operation): void {
    const blockade = this.all.get(keyOf(volume))
    if (blockade === undefined || blockade.isOpen) return
    const now = this.now()
    if (isRefused(blockade, operation)) Object.assign(blockade, { isOpen: true, time: now })
    else blockade.time = Math.min(blockade.time, now + FIRST_PAUSE)
  }

  /** The paths that are to be planned again, now that a volume is open or to be tried. */
  takeDue(): Path[] {
    const now = this.now()
    const due: Path[] = []
    for (const blockade of this.all.values()) {
      if (!blockade.isOpen && now < blockade.time) continue
      if (!blockade.isOpen && blockade.held.size === 0) Object.assign(blockade, { isOpen: true, time: now })
      if (!blockade.isOpen) blockade.isDue = true
      for (const path of blockade.held) due.push(path)
      blockade.held.clear()
    }
    return due
  }

  /** The plan without what would be refused, but for one operation on each volume that is to be tried. */
  admit(plan: Plan, trees: Readonly<Record<Side, Tree>>): Plan {
    if (this.all.size === 0) return plan
    const admitted = (side: Side) => {
      const waiting = this.waiting(side, plan[side], trees[side])
      const held = [...waiting].flatMap(([blockade, operations]) => this.hold(blockade, operations))
      return this.refusedLast(side, without(plan[side], held))
    }
    return { ...plan, local: admitted('local'), remote: admitted('remote') }
  }

  /** Takes over paths that wait for what waits itself; returns those that it does not. */
  adopt(paths: readonly Path[]): readonly Path[] {
    const [blockade] = this.closed
    if (blockade === undefined) return paths
    for (const path of paths) blockade.held.add(path)
    return []
  }

  /** Nothing depends on a file. */
  private refusedLast(side: Side, operations: readonly Operation[]): readonly Operation[] {
    const refused = [...this.all.values()].filter((blockade) => blockade.side === side)
    const isRefused = ({ op, path }: Operation) =>
      op === 'put' && refused.some((one) => one.refused.has(path))
    const last = operations.filter(isRefused)
    return last.length === 0 ? operations : [...operations.filter((one) => !isRefused(one)), ...last]
  }

  private waiting(side: Side, operations: readonly Operation[], tree: Tree): Map<Blockade, Operation[]> {
    const waiting = new Map<Blockade, Operation[]>()
    for (const operation of operations) {
      const blockade = this.all.get(keyOf(volumeOf(side, tree, operation.path)))
      if (blockade === undefined || blockade.isOpen || !isRefused(blockade, operation)) continue
      const others = waiting.get(blockade)
      if (others === undefined) waiting.set(blockade, [operation])
      else others.push(operation)
    }
    return waiting
  }

  private hold(blockade: Blockade, operations: readonly Operation[]): Path[] {
    const [first, second] = operations
    // What was refused and is all there is has a pace of its own.
    const isAlone = second === undefined && blockade.held.size === 0
    const isPaced = first !== undefined && isAlone && blockade.refused.has(first.path)
    const probe = blockade.isDue || isPaced ? probeOf(operations) : undefined
    if (blockade.isDue) {
      blockade.isDue = false
      blockade.time = this.now() + MAX_PAUSE
    }
    const held = operations.filter((operation) => operation !== probe).map(({ path }) => path)
    for (const path of held) blockade.held.add(path)
    return held
  }

  private get closed(): Blockade[] {
    return [...this.all.values()].filter(({ isOpen }) => !isOpen)
  }
}

function keyOf({ side, at }: Volume): string {
  return `${side} ${at}`
}

/** What is full takes removals: they make room. */
function isRefused({ problem }: Blockade, { op }: Operation): boolean {
  return problem.code === READ_ONLY || op === 'put' || op === 'mkdir' || op === 'symlink'
}

/** The cheapest operation that tells, and that depends on no other one. */
function probeOf(operations: readonly Operation[]): Operation | undefined {
  const counts = new Map<Path, number>()
  for (const { path } of operations) counts.set(path, (counts.get(path) ?? 0) + 1)
  const alone = operations.filter(({ path }) => counts.get(path) === 1 && !counts.has(parentOf(path)))
  return alone.toSorted((a, b) => costOf(a) - costOf(b))[0]
}

/** An empty file fits where nothing does. */
function costOf(operation: Operation): number {
  if (operation.op !== 'put') return Number.MAX_SAFE_INTEGER
  return operation.source.stamp.size || Number.MAX_SAFE_INTEGER - 1
}

function describe({ side, at, problem, held }: Blockade): SidedProblem {
  const { code } = problem
  const rest =
    held.size === 1
      ? '1 more change waits for that, and goes on by itself'
      : `${held.size} more changes wait for that, and go on by themselves`
  return { side, path: at, code, message: `${problem.path} ${problem.message}; ${rest}` }
}
