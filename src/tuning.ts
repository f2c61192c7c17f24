import { setFlagsFromString } from 'node:v8'

/**
 * How much a function runs before V8 compiles it again with all its art; by default a fifteenth of this. A sync takes
 * seconds, in threads and processes that each compile for themselves: they spent a quarter of their time on that.
 */
const BUDGET = 1_000_000

/** To be called first of all in a process that syncs; its threads follow. */
export function compileLess(): void {
  setFlagsFromString(`--interrupt-budget=${BUDGET}`)
}
