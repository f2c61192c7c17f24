import { styleText } from 'node:util'

type Format = Parameters<typeof styleText>[0]

/** A stream that may be a terminal. `hasColors` knows NO_COLOR, FORCE_COLOR, TERM and the like. */
export interface StyledStream {
  readonly isTTY?: boolean
  hasColors?(): boolean
}

/** Dresses text in colours, or leaves it as it is. */
export type Style = (format: Format, text: string) => string

/** Colours for what is printed to this stream: none unless it is a terminal that has, and may show, them. */
export function styleFor(stream: StyledStream): Style {
  const coloured = stream.isTTY === true && stream.hasColors?.() === true
  return coloured ? (format, text) => styleText(format, text) : (_format, text) => text
}
