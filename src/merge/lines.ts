/**
 * What differs between two texts, line by line: the greedy algorithm of E. W. Myers, An O(ND) Difference Algorithm
 * and Its Variations (1986).
 */

/** Lines `[from, to)` of one text that stand for lines `[otherFrom, otherTo)` of the other. Either may be empty. */
export interface Hunk {
  readonly from: number
  readonly to: number
  readonly otherFrom: number
  readonly otherTo: number
}

/** Lines that may differ; finding more takes memory by the square, and nobody merges such texts unseen. */
const MAX_DIFFERENT = 2000

/** A text's lines, each with its line end. */
export function linesOf(text: string): string[] {
  return text === '' ? [] : text.split(/(?<=\n)/)
}

/** Where two lists of lines differ, first to last; undefined if they differ in too much. */
export function diffLines(one: readonly string[], other: readonly string[]): Hunk[] | undefined {
  let start = 0
  while (start < one.length && start < other.length && one[start] === other[start]) start++
  let end = 0
  const room = Math.min(one.length, other.length) - start
  while (end < room && one[one.length - 1 - end] === other[other.length - 1 - end]) end++
  const a = one.slice(start, one.length - end)
  const b = other.slice(start, other.length - end)
  const trace = search(a, b)
  return trace && hunksOf(trace, { a: a.length, b: b.length, start })
}

/** How far each diagonal reaches with ever more differences; undefined if the end is not reached. */
function search(a: readonly string[], b: readonly string[]): Int32Array[] | undefined {
  const trace: Int32Array[] = []
  for (let d = 0; d <= Math.min(a.length + b.length, MAX_DIFFERENT); d++) {
    const before = trace[d - 1]
    // Diagonal k is at index k + d.
    const reach = new Int32Array(2 * d + 1)
    trace.push(reach)
    for (let k = -d; k <= d; k += 2) {
      let x = before === undefined ? 0 : stepTo(before, k, d).x
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++
      reach[k + d] = x
      if (x >= a.length && x - k >= b.length) return trace
    }
  }
  return undefined
}

/** How diagonal `k` is reached with difference `d`: by a line of `b` (from above), or by leaving out one of `a`. */
function stepTo(before: Int32Array, k: number, d: number): { readonly from: number; readonly x: number } {
  const at = (diagonal: number) => before[diagonal + d - 1] ?? -1
  const isDown = k === -d || (k !== d && at(k - 1) < at(k + 1))
  return isDown ? { from: k + 1, x: at(k + 1) } : { from: k - 1, x: at(k - 1) + 1 }
}

interface Extent {
  readonly a: number
  readonly b: number
  readonly start: number
}

/** Walks the trace back, and joins steps that touch. */
function hunksOf(trace: readonly Int32Array[], { a, b, start }: Extent): Hunk[] {
  const hunks: Hunk[] = []
  let k = a - b
  for (let d = trace.length - 1; d > 0; d--) {
    const before = trace[d - 1]
    if (before === undefined) break
    const { from, x } = stepTo(before, k, d)
    const isDown = from === k + 1
    const [fromA, fromB] = isDown ? [x, x - from] : [x - 1, x - 1 - from]
    const [toA, toB] = isDown ? [fromA, fromB + 1] : [fromA + 1, fromB]
    const next = hunks[0]
    const touches = next !== undefined && next.from === toA + start && next.otherFrom === toB + start
    const end = touches ? { to: next.to, otherTo: next.otherTo } : { to: toA + start, otherTo: toB + start }
    if (touches) hunks.shift()
    hunks.unshift({ from: fromA + start, otherFrom: fromB + start, ...end })
    k = from
  }
  return hunks
}
