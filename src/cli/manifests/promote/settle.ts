import { join } from 'node:path'
import type { KubesyncError } from '../../../errors.ts'
import type { Result } from '../../../manifests/carry/carry.ts'
import type { PushOptions } from '../../../manifests/carry/push.ts'
import type { Selection } from '../../../manifests/plan/plan.ts'
import type { Picks } from '../../../manifests/promote/picks.ts'
import type { Session } from '../../../manifests/session.ts'
import type { PreparedChange } from '../../../manifests/survey/change.ts'
import type { Cli } from '../../io.ts'
import { pathsOf } from '../../paths.ts'
import { usageError } from '../../values.ts'
import type { Settled } from '../carry.ts'
import type { DeployOptions } from '../deploy.ts'

export interface PromoteOptions extends DeployOptions {
  readonly from: string
  readonly to: string
  readonly digests?: true
  readonly clusterOnly?: true
  readonly allPortable?: true
}

/** Two places, and how one is brought up to the other. */
interface Between {
  /** What the places are told apart by and called, the source first. */
  readonly places: readonly [string, string]
  /** The target's folder, and what is written there. */
  readonly session: Pick<Session, 'root' | 'written'>
  survey(picks: Picks): Promise<PreparedChange>
  carry(chosen: { prepared: PreparedChange; selection: Selection }, how: PushOptions): Promise<Result[]>
}

/** Shows what is different, asks, and carries it out; what was picked is kept for the next time. */
export async function settleBetween(
  cli: Cli,
  { places, session, survey, carry }: Between,
  options: PromoteOptions,
): Promise<Settled<PreparedChange>> {
  if (places[0] === places[1]) throw samePlaces()
  const { openPicks } = await import('../../../manifests/promote/picks.ts')
  const { settle } = await import('../carry.ts')
  const store = await openPicks(join(pathsOf(cli, options).state, 'manifests'), places)
  const picks: Picks = options.allPortable === true ? new Map() : store.picks
  return settle(cli, {
    ...{ session, options, waits: false, timeoutMs: options.timeout },
    survey: async () => {
      const prepared = await survey(picks)
      return { ...prepared, plan: { ...prepared.plan, between: places } }
    },
    carry: async (chosen, how) => {
      if (options.force !== true) await store.keep(pickedIn(chosen.selection))
      return carry(chosen, how)
    },
  })
}

export function samePlaces(): KubesyncError {
  return usageError('both places are the same')
}

/** What was picked field by field; who takes or leaves a whole object says nothing of its fields. */
function pickedIn(selection: Selection): Picks {
  return new Map(
    [...selection].flatMap(([id, choice]): [string, ReadonlyMap<string, boolean>][] =>
      typeof choice === 'string'
        ? []
        : [[id, new Map([...choice].map(([field, one]) => [field, one === 'take']))]],
    ),
  )
}
