import { writesTo } from '../files/mode.ts'
import type { Binding } from './bindings.ts'
import type { Keeper } from './keeper.ts'

/** The sessions of one spec. */
export interface Fleet {
  readonly keepers: readonly Keeper[]
  /** Ends what is not wanted any more and begins what is. */
  keep(bindings: readonly Binding[]): void
  /** Resolves once nothing is left of any of them. */
  stop(): Promise<void>
}

/** @param begin makes the keeper of a binding, which has to wait for `after`. */
export function newFleet(begin: (binding: Binding, after: Promise<unknown>) => Keeper): Fleet {
  let keepers: readonly Keeper[] = []
  const ending = new Map<Keeper, Promise<void>>()

  function end(keeper: Keeper): void {
    ending.set(
      keeper,
      keeper.stop().finally(() => ending.delete(keeper)),
    )
  }

  function predecessors(binding: Binding): Promise<unknown> {
    const inTheWay = [...ending].filter(([keeper]) => sharesSomething(keeper.binding, binding))
    return Promise.allSettled(inTheWay.map(([, ended]) => ended))
  }

  return {
    get keepers() {
      return keepers
    },
    keep(bindings) {
      const wanted = new Set(bindings.map(keyOf))
      for (const keeper of keepers) if (!wanted.has(keyOf(keeper.binding))) end(keeper)
      const kept = new Map(keepers.map((keeper) => [keyOf(keeper.binding), keeper]))
      keepers = bindings.map((binding) => kept.get(keyOf(binding)) ?? begin(binding, predecessors(binding)))
    },
    async stop() {
      this.keep([])
      await Promise.allSettled(ending.values())
    },
  }
}

function keyOf({ podUid, containerId, role }: Binding): string {
  return `${podUid} ${containerId} ${role}`
}

/** The base is a container's (whichever time it runs), and one alone writes the local folder. */
function sharesSomething(one: Binding, other: Binding): boolean {
  const sameBase = one.podUid === other.podUid && one.container === other.container
  return sameBase || (writesTo(one.mode, 'local') && writesTo(other.mode, 'local'))
}
