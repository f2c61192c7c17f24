import { setMaxListeners } from 'node:events'
import type { Spec } from '../config/spec.ts'
import type { Replica } from '../files/replica/replica.ts'
import type { Clusters } from './clusters.ts'
import { newEarly } from './early.ts'
import { follow, type Run } from './follow.ts'
import { newOrigins } from './origins.ts'
import type { Pod } from './pods.ts'
import { ordersOf } from './rules.ts'
import type { OpenSession } from './settle.ts'
import { type Shared, share } from './shared.ts'
import { openSpecState } from './state.ts'
import type { Reloaded, SpecStatus } from './status.ts'
import { newTroubles, type Trouble, type Troubles } from './troubles.ts'
import { insist } from './waiting.ts'
import type { Log, LogEvent, World } from './world.ts'

/** Runs one spec: follows its pods, and keeps a session with each container that matches. */
export interface SpecRunner {
  readonly spec: Spec
  readonly status: SpecStatus
  /** All pods that match, running or not; undefined until they are known. */
  readonly pods: readonly Pod[] | undefined
  /** What keeps it from running; it goes on when that is over. */
  readonly trouble: Trouble | undefined
  /** Why a session cannot be kept, if one failed several times in a row. */
  readonly failing: string | undefined
  /** Goes on with halted sessions; how many there were. */
  resume(): number
  /** Reloads its containers; what came of it in each, undefined if the spec says no way to. */
  reload(): Promise<readonly Reloaded[]> | undefined
  /** The sessions under way, each with the container it is bound to. */
  readonly sessions: readonly OpenSession[]
  /** Resolves once nothing of it is left. */
  stop(): Promise<void>
}

export interface SpecRunnerOptions {
  readonly spec: Spec
  readonly world: World
  readonly clusters: Clusters
  /** The folder of all specs' states. */
  readonly stateRoot: string
  /** It begins when this is settled. */
  readonly after?: Promise<unknown>
  readonly log: Log
  readonly changed: () => void
}

type Running = Run & SpecRunnerOptions

export function runSpec(options: SpecRunnerOptions): SpecRunner {
  const { spec } = options
  const over = new AbortController()
  setMaxListeners(0, over.signal)
  const logHere = (event: Omit<LogEvent, 'spec'>) => options.log({ ...event, spec: spec.name })
  const troubles = newTroubles(logHere, options.changed)
  const local = shareLocal(options, troubles)
  const run: Running = {
    ...{ ...options, troubles, local, logHere, signal: over.signal },
    ...{ pods: undefined, decision: undefined, leader: undefined, fleet: undefined },
    saving: Promise.resolve(),
    ...{ origins: newOrigins(), reports: new Map(), early: newEarly(), awaited: new Map() },
  }
  const done = setUp(run)
  return {
    spec,
    get status() {
      return statusOf(run)
    },
    get pods() {
      return run.pods
    },
    get trouble() {
      return troubles.worst
    },
    get failing() {
      return run.fleet?.keepers.find(({ failing }) => failing)?.status.message
    },
    resume: () => (run.fleet?.keepers ?? []).filter((keeper) => keeper.resume()).length,
    reload: () => (spec.reload === undefined ? undefined : reloadAll(run)),
    get sessions() {
      return (run.fleet?.keepers ?? []).flatMap(({ binding, session }) =>
        session === undefined ? [] : [{ binding, session }],
      )
    },
    stop() {
      over.abort()
      return done
    },
  }
}

async function reloadAll({ fleet }: Run): Promise<Reloaded[]> {
  const all = (fleet?.keepers ?? []).map(async ({ binding: { pod, container }, ...keeper }) => {
    const report = await keeper.reload()
    return report === undefined ? [] : [{ pod, container, ...report }]
  })
  return (await Promise.all(all)).flat()
}

function statusOf({ spec, troubles, fleet, decision }: Run): SpecStatus {
  const sessions = (fleet?.keepers ?? []).map(({ status }) => status)
  const trouble = troubles.worst
  const waiting = decision === undefined ? 'looking for pods' : decision.waiting
  const message = trouble?.message ?? waiting
  return {
    name: spec.name,
    state: trouble?.state ?? (sessions.length > 0 ? 'running' : 'waiting'),
    ...(message === undefined ? {} : { message }),
    sessions,
  }
}

/** The folder here is scanned and watched once, for all containers. */
function shareLocal({ spec, world }: SpecRunnerOptions, troubles: Troubles): Shared<Replica> {
  const open = async () => {
    try {
      const replica = await world.openLocal(spec.local, ordersOf(spec))
      troubles.clear('local')
      return replica
    } catch (error) {
      troubles.set('local', error)
      throw error
    }
  }
  const { lingerMs } = world
  return share({ open, close: (replica) => replica.close(), gone: (replica) => replica.closed, lingerMs })
}

/** Opens what the spec needs, trying again until it is there, and follows the pods until the end. */
async function setUp(run: Running): Promise<void> {
  const { spec, signal, troubles } = run
  await run.after
  const again = { signal, pace: run.world.pace, failed: (error: unknown) => troubles.set('setup', error) }
  const state = await insist(() => openSpecState(run.stateRoot, spec), again)
  const cluster = state && (await insist(() => run.clusters.of(spec.context).acquire(), again))
  troubles.clear('setup')
  try {
    if (state && cluster) await follow(run, { state, cluster: cluster.value })
  } finally {
    cluster?.release()
    await run.local.close()
    await state?.close()
  }
}
