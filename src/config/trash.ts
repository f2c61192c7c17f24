import * as v from 'valibot'

/** How long, and how much of, what a sync replaced or removed here is kept. With a 0 nothing is. */
export interface TrashLimits {
  /** Milliseconds. */
  readonly maxAge: number
  /** Bytes. */
  readonly maxSize: number
}

const units: Readonly<Record<'age' | 'size', Readonly<Record<string, number>>>> = {
  age: { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 },
  size: { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 },
}

/** A number with a unit of time or size, or a plain 0; read as milliseconds or bytes. */
export function isAmount(of: 'age' | 'size') {
  const pattern = new RegExp(`^(\\d+(?:\\.\\d+)?) ?(${Object.keys(units[of]).join('|')})$`)
  const parse = (text: string) => {
    const [, number, unit = ''] = pattern.exec(text) ?? []
    return text === '0' ? 0 : Math.round(Number(number) * (units[of][unit] ?? Number.NaN))
  }
  return v.pipe(
    v.union([v.string(), v.literal(0)]),
    v.transform((said) => parse(String(said))),
    v.check((value) => Number.isSafeInteger(value)),
  )
}

/** Whether anything is to be kept. */
export function isTrashOn({ maxAge, maxSize }: TrashLimits): boolean {
  return maxAge > 0 && maxSize > 0
}
