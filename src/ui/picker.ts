import type { Style } from './style.ts'
import { printable, truncate } from './text.ts'

/** Something that can be picked, by its name, and what is known of it by now. */
export interface PickItem {
  readonly name: string
  readonly note: string
}

/** How far a person is. */
export interface Picking {
  readonly filter: string
  /** Which of those that match is marked. */
  readonly at: number
}

export type Pressed =
  | { readonly next: Picking }
  | { readonly picked: string }
  /** The person left. */
  | { readonly picked: undefined }

/** The items whose names have all words of the filter, in any case. */
export function matching(items: readonly PickItem[], filter: string): readonly PickItem[] {
  const words = filter.toLowerCase().split(/\s+/)
  return items.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)))
}

/** The keys in what a terminal sends: characters, and escape sequences as one. */
export function keysIn(data: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is how such sequences begin
  return data.match(/\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Z])|[\s\S]/gu) ?? []
}

const moves: Readonly<Record<string, number>> = {
  ...{ '\x1b[A': -1, '\x1bOA': -1, '\x10': -1, '\x1b[B': 1, '\x1bOB': 1, '\x0e': 1, '\t': 1 },
  ...{ '\x1b[5~': -10, '\x1b[6~': 10 },
}

/** What a key does. Escape takes the filter away, and leaves where there is none. */
export function press(state: Picking, key: string, items: readonly PickItem[]): Pressed {
  const { filter } = state
  const found = matching(items, filter)
  const at = Math.min(state.at, Math.max(0, found.length - 1))
  const move = moves[key]
  if (move !== undefined) {
    const wrapped = Math.abs(move) === 1 ? (at + move + found.length) % Math.max(1, found.length) : at + move
    return { next: { filter, at: Math.max(0, Math.min(wrapped, found.length - 1)) } }
  }
  if (key === '\r' || key === '\n') {
    const one = found[at]
    return one === undefined ? { next: state } : { picked: one.name }
  }
  if (key === '\x03' || key === '\x04') return { picked: undefined }
  if (key === '\x1b') return filter === '' ? { picked: undefined } : { next: { filter: '', at: 0 } }
  if (key === '\x15') return { next: { filter: '', at: 0 } }
  if (key === '\x7f' || key === '\b') return { next: { filter: [...filter].slice(0, -1).join(''), at: 0 } }
  return { next: printable(key) === key && !key.startsWith('\x1b') ? { filter: filter + key, at: 0 } : state }
}

interface Frame {
  readonly title: string
  readonly columns: number
  /** How many items are shown at once. */
  readonly height: number
  readonly style: Style
}

/** The lines that show a state: what is asked, the filter, and the items around the marked one. */
export function draw(state: Picking, items: readonly PickItem[], frame: Frame): string[] {
  const { title, columns, height, style } = frame
  const found = matching(items, state.filter)
  const at = Math.min(state.at, Math.max(0, found.length - 1))
  const from = Math.max(0, Math.min(at - Math.floor(height / 2), found.length - height))
  const width = Math.max(0, ...found.map(({ name }) => [...printable(name)].length))
  const rows = found.slice(from, from + height).map(({ name, note }, index) => {
    const isMarked = from + index === at
    const text = `${isMarked ? '>' : ' '} ${printable(name).padEnd(width)}   ${printable(note)}`.trimEnd()
    return style(isMarked ? 'bold' : 'reset', truncate(text, columns - 1))
  })
  const left = found.length - rows.length
  const foot = found.length === 0 ? 'nothing matches' : left > 0 ? `… ${left} more` : ''
  const head = truncate(`${title} ${printable(state.filter)}`, columns - 1)
  return [head, ...rows, ...(foot === '' ? [] : [style('dim', `  ${foot}`)])]
}
