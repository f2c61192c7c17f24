import { diffArrays } from 'diff'

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
  const parts = diffArrays([...one], [...other], { maxEditLength: MAX_DIFFERENT })
  if (parts === undefined) return undefined
  const hunks: Hunk[] = []
  let [at, otherAt] = [0, 0]
  for (const { added, removed, count } of parts) {
    const [to, otherTo] = [added ? at : at + count, removed ? otherAt : otherAt + count]
    const last = hunks.at(-1)
    if (added || removed) {
      const touches = last !== undefined && last.to === at && last.otherTo === otherAt
      const begin = touches ? last : { from: at, otherFrom: otherAt }
      if (touches) hunks.pop()
      hunks.push({ from: begin.from, otherFrom: begin.otherFrom, to, otherTo })
    }
    ;[at, otherAt] = [to, otherTo]
  }
  return hunks
}
