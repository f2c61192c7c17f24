/** A replacement of a stretch of text. */
export interface Splice {
  readonly start: number
  readonly end: number
  readonly text: string
}

export function splice(text: string, { start, end, text: put }: Splice): string {
  return text.slice(0, start) + put + text.slice(end)
}

/** The offset at which the line that holds an offset begins. */
export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1
}

/** The offset after the line that holds an offset: after its line end, or the end of the text. */
export function lineEnd(text: string, offset: number): number {
  const end = text.indexOf('\n', offset)
  return end === -1 ? text.length : end + 1
}

/** How many characters stand before an offset in its line. */
export function columnOf(text: string, offset: number): number {
  const start = lineStart(text, offset)
  return offset - (start === 0 && text.startsWith('\ufeff') ? 1 : start)
}

/** Whether there is only white space before an offset in its line. */
export function beginsLine(text: string, offset: number): boolean {
  return /^\ufeff?[ \t]*$/.test(text.slice(lineStart(text, offset), offset))
}

/** Whether a comment follows in the rest of the line. */
export function hasComment(text: string, offset: number): boolean {
  return /^[ \t]+#/.test(text.slice(offset, lineEnd(text, offset)))
}
