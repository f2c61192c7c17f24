import { type Clocks, measureClocks } from './newest.ts'
import type { Replica } from './replica/replica.ts'
import type { Side } from './side.ts'

/** Clocks drift and are set: after so long the difference is measured anew. Milliseconds. */
const FRESH_MS = 60_000

/** How the clocks of both sides differ, as far as it was asked for of late. */
export class ClockWatch {
  private last: { readonly at: number; readonly clocks: Clocks } | undefined
  private readonly replicas: Readonly<Record<Side, Pick<Replica, 'time'>>>

  constructor(replicas: Readonly<Record<Side, Pick<Replica, 'time'>>>) {
    this.replicas = replicas
  }

  get current(): Clocks | undefined {
    if (this.last === undefined || performance.now() - this.last.at > FRESH_MS) return undefined
    return this.last.clocks
  }

  /** Never rejects: of who does not answer nothing can be told. */
  async measure(): Promise<void> {
    const unknown: Clocks = { offsetMs: 0, uncertaintyMs: Infinity }
    const { local, remote } = this.replicas
    const ask = { local: () => local.time(), remote: () => remote.time() }
    const clocks = await measureClocks(ask).catch(() => unknown)
    this.last = { at: performance.now(), clocks }
  }
}
