import { parseDuration, usageError } from './values.ts'

const DAY = 86_400_000
const clock = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/
const date = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/

/**
 * A point in time, in milliseconds since 1970: a date with or without a time (`2024-05-31 17:30:00`, or as ISO 8601
 * has it), a time of today (`17:30`), or how long ago (`90s`, `10m`, `3d`). Without a zone it is this machine's.
 */
export function parseTime(text: string, now = Date.now()): number {
  const [, hours, minutes, seconds = '0'] = clock.exec(text) ?? []
  if (hours !== undefined) {
    const time = new Date(now).setHours(Number(hours), Number(minutes), Number(seconds), 0)
    if (Number(hours) < 24 && Number(minutes) < 60 && Number(seconds) < 60) return time
  } else if (date.test(text)) {
    // A date alone would be taken for UTC.
    const time = Date.parse(text.length === 10 ? `${text}T00:00` : text.replace(' ', 'T'))
    if (!Number.isNaN(time)) return time
  } else {
    const ago = parseAgo(text)
    if (ago !== undefined) return now - ago
  }
  throw usageError(`\`${text}\` is not a time`, "write it like 10m (ago), 17:30 or '2024-05-31 17:30:00'")
}

function parseAgo(text: string): number | undefined {
  const [, days, rest = ''] = /^(?:(\d+)d)?(.*)$/.exec(text) ?? []
  try {
    return Number(days ?? 0) * DAY + (days !== undefined && rest === '' ? 0 : parseDuration(rest))
  } catch {
    return undefined
  }
}

/** A point in time as this machine's clock shows it, such that `parseTime` takes it: `2024-05-31 17:30:00`. */
export function formatTime(ms: number): string {
  const at = new Date(ms)
  const two = (number: number) => String(number).padStart(2, '0')
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-')
  return `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')}`
}
