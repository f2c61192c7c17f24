import type { ReloadReport } from './status.ts'

/** What a reload did, without when: `reloaded (restart, 12 ms)`. */
export function describeReload({ how, ms, error }: ReloadReport): string {
  return error === undefined ? `reloaded (${how}, ${ms} ms)` : `not reloaded (${how}): ${error}`
}
