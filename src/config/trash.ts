import * as v from 'valibot'

/** How long, and how much of, what a sync replaced or removed here is kept. With a 0 nothing is. */
export interface TrashLimits {
  /** Milliseconds. */
  readonly maxAge: number
  /** Bytes. */
  readonly maxSize: number
}

const ages: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
const sizes: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
}

const defaults: TrashLimits = { maxAge: 14 * 86_400_000, maxSize: 2 ** 30 }

/** A number with one of the units, or a plain 0. */
function amount(units: Readonly<Record<string, number>>, example: string) {
  const message = `must be something like ${example}, or 0 to keep nothing`
  const pattern = new RegExp(`^(\\d+(?:\\.\\d+)?) ?(${Object.keys(units).join('|')})$`)
  const parse = (text: string) => {
    const [, number, unit = ''] = pattern.exec(text) ?? []
    return Math.round(Number(number) * (units[unit] ?? Number.NaN))
  }
  const valid = v.pipe(
    v.string(message),
    v.transform((text) => (text === '0' ? 0 : parse(text))),
    v.check((value) => Number.isSafeInteger(value), message),
  )
  return v.union([v.literal(0), valid], message)
}

/** What `trash` in the configuration says. */
export const trashSchema = v.nullish(
  v.strictObject({
    maxAge: v.optional(amount(ages, '14d, 12h or 2w')),
    maxSize: v.optional(amount(sizes, '1GiB or 500MiB')),
  }),
)

export function trashLimits(said: v.InferOutput<typeof trashSchema>): TrashLimits {
  return { maxAge: said?.maxAge ?? defaults.maxAge, maxSize: said?.maxSize ?? defaults.maxSize }
}

/** Whether anything is to be kept. */
export function isTrashOn({ maxAge, maxSize }: TrashLimits): boolean {
  return maxAge > 0 && maxSize > 0
}
