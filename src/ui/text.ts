/**
 * C0 and C1 controls, and the characters that reorder or hide text (bidirectional overrides, zero width,
 * line separators): names come from clusters and disks, and must not be able to steer a terminal.
 */
const unprintable =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Surrogate}/gu

const shortEscapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function escapeCharacter(character: string): string {
  const short = shortEscapes[character]
  if (short !== undefined) return short
  const code = character.codePointAt(0) ?? 0
  return code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}

/** Text from a cluster, a file or the user on one line, with everything that could steer a terminal escaped. */
export function printable(text: string): string {
  return text.replace(unprintable, escapeCharacter)
}

/** `printable` for text of several lines, such as a message of a server: line ends and tabs stay. */
export function printableLines(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => line.split('\t').map(printable).join('\t'))
    .join('\n')
}

/** JSON that means the same and has nothing in it that could steer a terminal. */
export function printableJson(json: string): string {
  // Line ends are the only such character that is outside of a string, and C0 is escaped in strings already.
  return json.replace(unprintable, (character) =>
    character === '\n' ? character : `\\u${hex(character.codePointAt(0) ?? 0, 4)}`,
  )
}

/** `1,234,567`: a whole number as people read it. Starting the runtime's own formatter takes longer than a small command. */
export function grouped(amount: number): string {
  return String(amount).replace(/\B(?=(?:\d{3})+$)/g, ',')
}

/** `1 file`, `2 files`, `1,234 files`. The plural is given where an `s` does not make it. */
export function count(amount: number, singular: string, plural = `${singular}s`): string {
  return `${grouped(amount)} ${amount === 1 ? singular : plural}`
}

const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** A number of bytes as a person reads it: `512 B`, `1.5 KiB`, `23 MiB`. */
export function bytes(amount: number): string {
  if (amount < 1024) return `${amount} B`
  let value = amount
  let unit: string = 'B'
  for (const next of units) {
    // Not 1024: what would be rounded to `1024 KiB` is `1.0 MiB`.
    if (value < 1023.5) break
    value /= 1024
    unit = next
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`
}

/** A length of time as a person reads it, from milliseconds: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(ms: number): string {
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return joined(`${minutes} min`, seconds % 60, 's')
  return joined(`${Math.floor(minutes / 60)} h`, minutes % 60, 'min')
}

function joined(head: string, rest: number, unit: string): string {
  return rest === 0 ? head : `${head} ${rest} ${unit}`
}

/** Cuts text to a width in columns, the last of them an ellipsis where something was left out. */
export function truncate(text: string, width: number): string {
  const characters = [...text]
  return characters.length <= width ? text : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`
}
