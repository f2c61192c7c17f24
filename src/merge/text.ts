/**
 * Merges two changes of a text, as diff3 does: see S. Khanna, K. Kunal and B. C. Pierce, A Formal Investigation of
 * Diff3 (2007). Changes that touch each other are not told apart, as git has it.
 */
import { diffLines, type Hunk, linesOf } from './lines.ts'

export interface Texts {
  /** What both changes began with. */
  readonly base: string
  readonly local: string
  readonly remote: string
}

export type TextMerge =
  | { readonly merged: string }
  /** The lines of local, from 1, that remote changed as well; `too-different`: nobody looked. */
  | { readonly conflict: { readonly from: number; readonly to: number } | 'too-different' }

/** The text with both changes, if they are of different lines, or the same. */
export function mergeTexts({ base, local, remote }: Texts): TextMerge {
  const lines = { base: linesOf(base), local: linesOf(local), remote: linesOf(remote) }
  const ours = diffLines(lines.base, lines.local)
  const theirs = diffLines(lines.base, lines.remote)
  if (ours === undefined || theirs === undefined) return { conflict: 'too-different' }
  const merged: string[] = []
  let done = 0
  for (const { from, to, local: mine, remote: other } of regionsOf(ours, theirs)) {
    merged.push(...lines.base.slice(done, from))
    done = to
    const here = lines.local.slice(mine.from, mine.to)
    const there = lines.remote.slice(other.from, other.to)
    if (!mine.isChanged) merged.push(...there)
    else if (!other.isChanged || here.join('') === there.join('')) merged.push(...here)
    else return { conflict: { from: mine.from + 1, to: Math.max(mine.to, mine.from + 1) } }
  }
  merged.push(...lines.base.slice(done))
  return { merged: merged.join('') }
}

interface Part {
  readonly from: number
  readonly to: number
  readonly isChanged: boolean
}

/** Lines of the base, and what each side has for them. */
interface Region {
  readonly from: number
  readonly to: number
  readonly local: Part
  readonly remote: Part
}

/** Parts of the base that either side changed; changes that overlap or touch are in one. */
function regionsOf(ours: readonly Hunk[], theirs: readonly Hunk[]): Region[] {
  const regions: Region[] = []
  let mine = 0
  let other = 0
  for (;;) {
    const from = Math.min(ours[mine]?.from ?? Infinity, theirs[other]?.from ?? Infinity)
    if (from === Infinity) return regions
    let to = from
    const start = { mine, other }
    for (;;) {
      const hunk = [ours[mine], theirs[other]].find((one) => one !== undefined && one.from <= to)
      if (hunk === undefined) break
      to = Math.max(to, hunk.to)
      if (hunk === ours[mine]) mine++
      else other++
    }
    const local = partOf(ours, { from, to, first: start.mine, next: mine })
    regions.push({ from, to, local, remote: partOf(theirs, { from, to, first: start.other, next: other }) })
  }
}

interface Span {
  readonly from: number
  readonly to: number
  /** Hunks `[first, next)` are in it. */
  readonly first: number
  readonly next: number
}

/** What a side has for lines of the base. */
function partOf(hunks: readonly Hunk[], { from, to, first, next }: Span): Part {
  const before = hunks[first - 1]
  const last = hunks[next - 1]
  const shiftBefore = before === undefined ? 0 : before.otherTo - before.to
  const shiftAfter = last === undefined ? 0 : last.otherTo - last.to
  return { from: from + shiftBefore, to: to + shiftAfter, isChanged: next > first }
}
