import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { putFile } from '../folder/put.ts'

/** What somebody picked, field by field, in promotions between two places: by the object and the field. */
export type Picks = ReadonlyMap<string, ReadonlyMap<string, boolean>>

/** The picks of a pair of places, kept from one promotion to the next. */
export interface PickStore {
  readonly picks: Picks
  /** Adds to what is kept; a pick replaces an earlier one of the same field. */
  keep(picks: Picks): Promise<void>
}

const picksSchema = v.object({
  version: v.literal(1),
  picks: v.record(v.string(), v.record(v.string(), v.boolean())),
})

/**
 * What is damaged was never picked: picks only say what is preselected.
 *
 * @param folder where kubesync keeps its state of manifests.
 * @param places what the two places are told apart by, the source first.
 */
export async function openPicks(folder: string, places: readonly [string, string]): Promise<PickStore> {
  const id = createHash('sha256').update(JSON.stringify(places)).digest('hex').slice(0, 24)
  const file = join(folder, 'picks', `${id}.json`)
  const picks = await load(file)
  return {
    picks,
    async keep(added) {
      if (added.size === 0) return
      const all = new Map(picks)
      for (const [object, fields] of added) all.set(object, new Map([...(all.get(object) ?? []), ...fields]))
      const entries = [...all].map(([object, fields]) => [object, Object.fromEntries(fields)])
      await putFile(file, JSON.stringify({ version: 1, picks: Object.fromEntries(entries) }), { mode: 0o600 })
    },
  }
}

async function load(file: string): Promise<Picks> {
  try {
    const { picks } = v.parse(picksSchema, JSON.parse(await readFile(file, 'utf8')))
    return new Map(Object.entries(picks).map(([object, fields]) => [object, new Map(Object.entries(fields))]))
  } catch {
    return new Map()
  }
}
