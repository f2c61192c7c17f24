/** What is measured, in numbers that can be printed, compared and kept. */

/** One way of doing a piece of work, and what it took. */
export interface Figure {
  readonly who: string
  /** The median, in `unit`; undefined if it could not be measured. */
  readonly value: number | undefined
  readonly unit: string
  /** All runs, in their order. */
  readonly runs?: readonly number[]
  /** Why there is no value, or what is to be known about it. */
  readonly note?: string
}

/** What is asked of a row. */
export interface Reach {
  readonly what: string
  /** What was measured; undefined if it could not be. */
  readonly value: number | undefined
  readonly limit: number
}

/** One line of the table: a piece of work. */
export interface Row {
  readonly name: string
  readonly title: string
  readonly figures: readonly Figure[]
  readonly reaches: readonly Reach[]
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export function figure(who: string, unit: string, runs: readonly number[]): Figure {
  return { who, unit, runs, value: median(runs) }
}

/** How many times as much the first takes as another; undefined if either was not measured. */
export function ratio(figures: readonly Figure[], who: string, limit: number): Reach {
  const [own, other] = [figures[0]?.value, figures.find((one) => one.who === who)?.value]
  const value = own === undefined || other === undefined ? undefined : own / other
  return { what: `× ${who}`, value, limit }
}

/** The ways take turns, so that a slow minute of the machine is everybody's. One that fails is told of. */
export async function race(
  ways: Readonly<Record<string, (turn: number) => Promise<number>>>,
  { turns, unit }: { turns: number; unit: string },
): Promise<Figure[]> {
  const runs = new Map<string, number[]>()
  const failures = new Map<string, string>()
  for (let turn = 0; turn < turns; turn++) {
    for (const [who, way] of Object.entries(ways)) {
      if (failures.has(who)) continue
      try {
        runs.set(who, [...(runs.get(who) ?? []), await way(turn)])
      } catch (error) {
        failures.set(who, firstLine(error))
      }
    }
  }
  return Object.keys(ways).map((who) => {
    const note = failures.get(who)
    return note === undefined ? figure(who, unit, runs.get(who) ?? []) : missing(who, unit, note)
  })
}

export function missing(who: string, unit: string, note: string): Figure {
  return { who, unit, value: undefined, note }
}

export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim().split('\n')[0] ?? ''
}

/** Undefined where it cannot be told. */
export function isMet({ value, limit }: Reach): boolean | undefined {
  return value === undefined ? undefined : value <= limit
}
