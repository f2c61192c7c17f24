import { setMaxListeners } from 'node:events'
import type { Spec } from '../config/spec.ts'
import { messageOf } from '../errors.ts'
import type { Replica } from '../files/replica/replica.ts'
import { type Decision, decide } from './bindings.ts'
import type { Clusters, SharedCluster } from './clusters.ts'
import { type Fleet, newFleet } from './fleet.ts'
import { keepSession } from './keeper.ts'
import type { Pod } from './pods.ts'
import { type Shared, share } from './shared.ts'
import { openSpecState, type SpecState } from './state.ts'
import type { SpecStatus } from './status.ts'
import { newTroubles, type Trouble, type Troubles } from './troubles.ts'
import { insist } from './waiting.ts'
import type { Log, LogEvent, PodsEvent, World } from './world.ts'

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

/** What is there once a spec's state and cluster are open. */
interface Following {
  readonly state: SpecState
  readonly cluster: SharedCluster
}

/** What the parts of a running spec share. */
interface Run extends SpecRunnerOptions {
  readonly troubles: Troubles
  readonly local: Shared<Replica>
  readonly logHere: (event: Omit<LogEvent, 'spec'>) => void
  readonly signal: AbortSignal
  pods: readonly Pod[] | undefined
  decision: Decision | undefined
  fleet: Fleet | undefined
}

export function runSpec(options: SpecRunnerOptions): SpecRunner {
  const { spec } = options
  const over = new AbortController()
  setMaxListeners(0, over.signal)
  const logHere = (event: Omit<LogEvent, 'spec'>) => options.log({ ...event, spec: spec.name })
  const troubles = newTroubles(logHere, options.changed)
  const local = shareLocal(options, troubles)
  const run: Run = {
    ...{ ...options, troubles, local, logHere, signal: over.signal },
    ...{ pods: undefined, decision: undefined, fleet: undefined },
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
    stop() {
      over.abort()
      return done
    },
  }
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
      const replica = await world.openLocal(spec.local)
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
async function setUp(run: Run): Promise<void> {
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

async function follow(run: Run, { state, cluster }: Following): Promise<void> {
  const fleet = newFleet((binding, after) =>
    keepSession({
      ...{ binding, after, remotePath: run.spec.remote, local: run.local, node: cluster.node(binding.node) },
      basePath: state.basePath(binding.podUid, binding.container),
      isSuccessor: () => state.isSuccessor(binding.containerId),
      startSession: (parts) => run.world.startSession(parts),
      pace: run.world.pace,
      changed: () => rebind(run),
      inSync: () => void remember(run, state),
      log: run.logHere,
    }),
  )
  run.fleet = fleet
  const retry = () => {
    for (const keeper of fleet.keepers) keeper.retry()
  }
  const stopAgents = cluster.onAgents(retry)
  const stopPods = cluster.watchPods(run.spec, (event) => onPods(run, { event, retry }))
  await new Promise((resolve) => {
    if (run.signal.aborted) resolve(undefined)
    run.signal.addEventListener('abort', resolve, { once: true })
  })
  stopPods()
  stopAgents()
  await fleet.stop()
}

function onPods(run: Run, { event, retry }: { event: PodsEvent; retry: () => void }): void {
  if (event.type === 'unreachable') {
    run.troubles.set('server', event.error)
  } else if (event.type === 'reachable') {
    run.troubles.clear('server')
    retry()
  } else {
    run.pods = event.pods
    rebind(run)
  }
}

/** Decides anew who is synced how, and carries that out; cheap when nothing changed. */
function rebind(run: Run): void {
  const { pods, spec, fleet, troubles } = run
  if (pods !== undefined && fleet !== undefined && !run.signal.aborted) {
    const failing = new Set(fleet.keepers.filter((one) => one.failing).map(({ binding }) => binding.podUid))
    run.decision = decide({ spec, pods, leader: run.decision?.leader, failing })
    fleet.keep(run.decision.bindings)
    if (fleet.keepers.length === 0) troubles.clear('local')
  }
  run.changed()
}

async function remember(run: Run, state: SpecState): Promise<void> {
  try {
    const containers = (run.pods ?? []).flatMap((pod) => pod.containers)
    await state.markInSync(containers.flatMap(({ runningId }) => runningId ?? []))
    await state.removeBases((podUid) => !run.pods?.some(({ uid }) => uid === podUid))
  } catch (error) {
    run.logHere({ level: 'warn', message: `what was synced could not be written down: ${messageOf(error)}` })
  }
}
