import type { Arrival, Change, Decision, Meeting } from '../merge/decide.ts'
import { decideArrival, decideChange } from '../merge/decide.ts'
import { type BaseFile, type BaseTree, isRemounted } from './base/base.ts'
import { sameStamp } from './delta.ts'
import { joinPath } from './path.ts'
import type { Side } from './side.ts'
import { otherSide } from './side.ts'
import { modeAt, type Run, type Spot } from './spot.ts'
import type { Digest, Entry, FileEntry, Node, Path, Tree } from './tree.ts'

/** Whether both sides have a file or symlink and it is what it was: nothing to look at, at little cost. */
export function isSettled(base: BaseTree | undefined, local: Tree, remote: Tree): boolean {
  const before = base?.entry
  const here = local?.entry
  const there = remote?.entry
  if (before?.kind === 'file') return isBaseFile(before, here, 'local') && isBaseFile(before, there, 'remote')
  if (before?.kind !== 'symlink' || here?.kind !== 'symlink' || there?.kind !== 'symlink') return false
  return before.target === here.target && before.target === there.target
}

function isBaseFile(base: BaseFile, entry: Entry | undefined, side: Side): boolean {
  if (entry?.kind !== 'file' || entry.executable !== base.executable) return false
  // A digest tells of a change within the clock's granularity, which leaves the stamp as it was.
  return sameStamp(entry.stamp, base[side]) && (entry.digest === undefined || entry.digest === base.digest)
}

/** What each side did at a path, and what that leads to. */
export interface Verdict {
  readonly local: Change | Arrival
  readonly remote: Change | Arrival
  readonly decision: Decision
}

export function judge(run: Run, spot: Spot): Verdict {
  if (spot.base === undefined) {
    const local = arrivalOf(spot.local)
    const remote = arrivalOf(spot.remote)
    return { local, remote, decision: decideArrival(meetingAt(run, spot), local, remote) }
  }
  const local = changeOf(run, spot, 'local')
  const remote = changeOf(run, spot, 'remote')
  return { local, remote, decision: decideChange(modeAt(spot), local, remote) }
}

/** A volume may hold what is newer than local even if its container is new. */
function meetingAt({ contact, volumes }: Run, spot: Spot): Meeting {
  const { path } = spot
  const isKept = contact === 'seed' && volumes.some((at) => isIn(path, at) || isIn(at, path))
  return { mode: modeAt(spot), contact: isKept ? 'merge' : contact }
}

function isIn(path: Path, directory: Path): boolean {
  return path === directory || path.startsWith(`${directory}/`)
}

function arrivalOf(node: Node | undefined): Arrival {
  if (node === undefined) return 'absent'
  return node.entry.kind === 'opaque' ? 'opaque' : 'created'
}

function changeOf(run: Run, spot: Spot, side: Side): Change {
  const node = spot[side]
  if (node === undefined) return 'deleted'
  const change = shallowChange(run, { side, path: spot.path, base: spot.base, node })
  // Where it meets nothing, everything below a directory is decided by itself; where it meets a file, it
  // can only go as a whole.
  const meetsFile = node.children !== undefined && spot[otherSide[side]] !== undefined
  if (change !== 'unchanged' || !meetsFile) return change
  return hasNews(run, { side, path: spot.path, base: spot.base, node }) ? 'modified' : 'unchanged'
}

/** What a side has at a path, and what it had there. */
interface Held {
  readonly side: Side
  readonly path: Path
  readonly base: BaseTree | undefined
  readonly node: Node
}

function shallowChange(run: Run, { side, path, base, node: { entry } }: Held): Change {
  const before = base?.entry
  if (entry.kind === 'opaque' || isRemounted(before, entry, side)) return 'opaque'
  if (before?.kind === 'file' && entry.kind === 'file') {
    const same = entry.executable === before.executable
    return same && contentOf(run, before, { side, path, entry }) === 'same' ? 'unchanged' : 'modified'
  }
  if (before?.kind === 'symlink' && entry.kind === 'symlink') {
    return before.target === entry.target ? 'unchanged' : 'modified'
  }
  return before?.kind === entry.kind ? 'unchanged' : 'replaced'
}

/** Whether a directory holds anything that is not in the base: what is missing in it is no loss. */
function hasNews(run: Run, { side, path, base, node }: Held): boolean {
  for (const [name, child] of node.children ?? []) {
    const held: Held = { side, path: joinPath(path, name), base: base?.children?.get(name), node: child }
    if (shallowChange(run, held) !== 'unchanged' || hasNews(run, held)) return true
  }
  return false
}

/** Files that have to be read before it is certain that each side did something at a path. */
export function unreadAt(run: Run, spot: Spot): SideFile[] {
  return (['local', 'remote'] as const).flatMap((side) => {
    const node = spot[side]
    if (node === undefined) return []
    const unread: SideFile[] = []
    const isCertain = findUnread(run, { side, path: spot.path, base: spot.base, node }, unread)
    return isCertain ? [] : unread
  })
}

/** Adds what may have been touched only; true if something was done in any case. */
function findUnread(run: Run, held: Held, unread: SideFile[]): boolean {
  const { side, path, base, node } = held
  const { entry } = node
  if (base?.entry.kind === 'file' && entry.kind === 'file') {
    const file = { side, path, entry }
    const isUnknown = contentOf(run, base.entry, file) === 'unknown'
    if (isUnknown && entry.executable === base.entry.executable) {
      unread.push(file)
      return false
    }
  }
  if (shallowChange(run, held) !== 'unchanged') return true
  for (const [name, child] of node.children ?? []) {
    const below = { side, path: joinPath(path, name), base: base?.children?.get(name), node: child }
    if (findUnread(run, below, unread)) return true
  }
  return false
}

/** A file of a side. */
export interface SideFile {
  readonly side: Side
  readonly path: Path
  readonly entry: FileEntry
}

/** A file's content compared with the base; `unknown` until it is hashed. */
export type Content = 'same' | 'different' | 'unknown'

export function contentOf(run: Run, base: BaseFile, file: SideFile): Content {
  const agreed = base[file.side]
  const { stamp } = file.entry
  const digest = digestOf(run, file)
  if (digest === undefined && sameStamp(agreed, stamp)) return 'same'
  if (digest !== undefined) return digest === base.digest ? 'same' : 'different'
  return agreed.size === stamp.size ? 'unknown' : 'different'
}

/** A file's digest, if anybody knows it. */
export function digestOf(run: Run, { side, path, entry }: SideFile): Digest | undefined {
  if (entry.digest !== undefined) return entry.digest
  const asked = run.digests[side].get(path)
  return asked !== undefined && sameStamp(asked.stamp, entry.stamp) ? asked.digest : undefined
}
