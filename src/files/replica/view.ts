import { applyDelta, countEntries, nodeAt, sameStamp } from '../delta.ts'
import { entryCodec } from '../entry-codec.ts'
import { itemsOf, treeOf } from '../folders.ts'
import type { RuleSet } from '../ignore/rule-set.ts'
import type { Outcome, Problem } from '../operation.ts'
import { packTree } from '../packed.ts'
import { AfterBursts } from '../quiet.ts'
import { MAX_ENTRIES, tooLarge, weightOf, weightOfFolder } from '../size.ts'
import type { Delta, DeltaItem, Digest, Path, Tree } from '../tree.ts'
import { withDigest } from '../tree.ts'
import type { Notice } from './protocol.ts'
import type { HashRequest, ReplicaInfo } from './replica.ts'

type Part = Extract<Notice, { kind: 'info' | 'problems' | 'rules' | 'delta' | 'folders' }>

const NOWHERE: ReplicaInfo = {
  root: { dev: 0, ino: 0 },
  storage: { kind: 'local', id: '' },
  uid: 0,
  gid: 0,
  readOnly: undefined,
}

function deltaOf(parts: readonly Part[]): Delta {
  const delta: DeltaItem[] = []
  for (const part of parts) {
    if (part.kind === 'delta') for (const item of part.delta) delta.push(item)
    else if (part.kind === 'folders') for (const item of itemsOf(part.folders, entryCodec)) delta.push(item)
  }
  return delta
}

/** What a client knows of a replica: always a whole snapshot. */
export class View {
  tree: Tree
  info = NOWHERE
  readonly problems = new Map<Path, Problem>()
  /** What the tree is without; undefined while that is not known. */
  rules: RuleSet | undefined
  private readonly listeners = new Set<(delta: Delta) => void>()
  /** Of the next snapshot, of which not all is here. */
  private parts: Part[] = []
  /** Of the parts, see `weightOf`. */
  private weight = 0
  private readonly limit: number
  private readonly bursts = new AfterBursts(() => this.pack())

  /** @param limit how many entries a tree may have; the other end is not trusted to keep to it */
  constructor(limit = MAX_ENTRIES) {
    this.limit = limit
  }

  subscribe(listener: (delta: Delta) => void): () => void {
    const own = (delta: Delta) => listener(delta)
    this.listeners.add(own)
    return () => this.listeners.delete(own)
  }

  /**
   * Throws RangeError for a delta that does not fit the tree, and an error
   * for one that makes it too large.
   */
  add(part: Part): void {
    this.weigh(part)
    this.parts.push(part)
    if ((part.kind !== 'delta' && part.kind !== 'folders') || !part.isLast) return
    const { parts } = this
    this.parts = []
    this.weight = 0
    for (const one of parts) {
      if (one.kind === 'info') this.info = one.info
      else if (one.kind === 'problems') this.update(one.problems)
      else if (one.kind === 'rules') this.rules = one.rules
    }
    if (!this.begin(parts)) this.change(deltaOf(parts))
    if (countEntries(this.tree) > this.limit) throw tooLarge(this.limit)
  }

  /** Takes a first snapshot as it came, if it is nothing but directories and what is in them. */
  private begin(parts: readonly Part[]): boolean {
    if (this.tree !== undefined || this.listeners.size > 0) return false
    if (parts.some(({ kind }) => kind === 'delta')) return false
    const folders = parts.flatMap((part) => (part.kind === 'folders' ? part.folders : []))
    if (folders.length === 0) return false
    this.tree = treeOf(folders, entryCodec)
    return this.tree !== undefined
  }

  /** What was carried out is in the tree from now on. */
  addOutcomes(outcomes: readonly Outcome[]): void {
    const delta = outcomes.flatMap(
      (outcome): Delta => (outcome.result === 'done' ? [[outcome.path, outcome.entry]] : []),
    )
    if (delta.length > 0) this.change(delta)
  }

  /** Remembers digests of files that are still what they were. Nobody is told: whoever asked knows. */
  learn(requests: readonly HashRequest[], digests: readonly (Digest | undefined)[]): void {
    const delta: DeltaItem[] = []
    for (const [i, { path, stamp }] of requests.entries()) {
      const entry = nodeAt(this.tree, path)?.entry
      const digest = digests[i]
      if (digest !== undefined && entry?.kind === 'file' && sameStamp(entry.stamp, stamp)) {
        delta.push([path, withDigest(entry, digest)])
      }
    }
    this.tree = applyDelta(this.tree, delta)
    this.bursts.note(delta.length)
  }

  /** A snapshot may replace all that there was, and say of each entry why it cannot be synced. */
  private weigh(part: Part): void {
    this.weight++
    if (part.kind === 'folders') for (const folder of part.folders) this.weight += weightOfFolder(folder)
    else if (part.kind === 'delta') {
      for (const [path, entry] of part.delta) this.weight += entry === null ? 1 : weightOf(path, entry)
    } else if (part.kind === 'problems') this.weight += part.problems.size
    if (this.weight > 4 * this.limit) throw tooLarge(this.limit)
  }

  private update(problems: ReadonlyMap<Path, Problem | null>): void {
    for (const [path, problem] of problems) {
      if (problem === null) this.problems.delete(path)
      else this.problems.set(path, problem)
    }
  }

  private change(delta: Delta): void {
    this.tree = applyDelta(this.tree, delta)
    this.bursts.note(delta.length)
    for (const listener of this.listeners) listener(delta)
  }

  private pack(): void {
    this.tree = this.tree && packTree(this.tree, entryCodec)
    // Whoever has the tree as it was lets go of it.
    for (const listener of this.listeners) listener([])
  }
}
