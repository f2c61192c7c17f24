import type { NodeConnection } from '../agent/connect.ts'
import type { Spec } from '../config/spec.ts'
import { messageOf } from '../errors.ts'
import type { Replica } from '../files/replica/replica.ts'
import { type Binding, type Decision, decide, podTargetOf } from './bindings.ts'
import type { SharedCluster } from './clusters.ts'
import type { Early } from './early.ts'
import { type Fleet, newFleet } from './fleet.ts'
import { keepSession, type Reports } from './keeper.ts'
import type { Origins } from './origins.ts'
import type { Pod } from './pods.ts'
import { reloadPlan } from './reload-plan.ts'
import type { Replacing } from './replace-container.ts'
import { attributesOf, exclusionsOf } from './rules.ts'
import type { Shared } from './shared.ts'
import type { SpecState } from './state.ts'
import type { Troubles } from './troubles.ts'
import type { LogEvent, PodsEvent, World } from './world.ts'

/** What the parts of a running spec share. */
export interface Run {
  readonly spec: Spec
  readonly world: World
  readonly changed: () => void
  readonly troubles: Troubles
  readonly local: Shared<Replica>
  readonly origins: Origins
  readonly reports: Reports
  readonly early: Early
  /** Who waits for a container to be in sync. */
  readonly awaited: Map<string, () => void>
  readonly logHere: (event: Omit<LogEvent, 'spec'>) => void
  readonly signal: AbortSignal
  pods: readonly Pod[] | undefined
  decision: Decision | undefined
  /** UID of the pod that leads, or led last. */
  leader: string | undefined
  fleet: Fleet | undefined
  /** What is being written down, in its order. */
  saving: Promise<void>
}

/** What is there once a spec's state and cluster are open. */
export interface Following {
  readonly state: SpecState
  readonly cluster: SharedCluster
}

/** Keeps a session with each container that matches, as pods come and go, until the signal aborts. */
export async function follow(run: Run, { state, cluster }: Following): Promise<void> {
  run.leader = state.leader
  const fleet = newFleet((binding, after) => {
    const node = connectionFor(run.spec, binding, cluster)
    return keepSession({
      ...{ binding, after, local: run.local, node },
      ...{ namespace: run.spec.namespace, remotePath: run.spec.remote, attributes: attributesOf(run.spec) },
      basePath: state.basePath(binding.podUid, binding.container),
      exclusions: exclusionsOf(run.spec),
      openBase: run.world.openBase,
      isSuccessor: () => state.isSuccessor(binding.containerId),
      startSession: (parts) =>
        run.world.startSession(parts, { spec: run.spec.name, folder: run.spec.local, texts: state.texts }),
      pace: run.world.pace,
      changed: () => rebind(run, state),
      inSync: () => {
        run.awaited.get(binding.containerId)?.()
        remember(run, state)
      },
      reports: run.reports,
      log: (event) => tell(run, event),
      origins: run.origins,
      reload: reloadPlan({ spec: run.spec, binding, cluster, node, replacing: replacing(run, state) }),
    })
  })
  run.fleet = fleet
  const retry = () => {
    for (const keeper of fleet.keepers) keeper.retry()
  }
  const stopAgents = cluster.onAgents(retry)
  const stopPods = cluster.watchPods(run.spec, (event) => onPods(run, { event, retry, state }))
  await new Promise((resolve) => {
    if (run.signal.aborted) resolve(undefined)
    run.signal.addEventListener('abort', resolve, { once: true })
  })
  stopPods()
  stopAgents()
  await fleet.stop()
  await run.saving
}

/** How a container is adopted that the API server does not tell of yet. */
function replacing(run: Run, state: SpecState): Pick<Replacing, 'adopt' | 'settle' | 'inSync'> {
  return {
    adopt(replacement) {
      run.early.add(replacement)
      rebind(run, state)
    },
    settle(id) {
      run.early.remove(id)
      rebind(run, state)
    },
    inSync: (id) =>
      new Promise((resolve) => {
        const keeper = run.fleet?.keepers.find(({ binding }) => binding.containerId === id)
        if (keeper?.status.session?.phase === 'in-sync') return resolve()
        run.awaited.set(id, () => {
          run.awaited.delete(id)
          resolve()
        })
      }),
  }
}

/** How the agent that serves a container is reached. */
function connectionFor(spec: Spec, binding: Binding, cluster: SharedCluster): Shared<NodeConnection> {
  return spec.agent === 'ephemeral' ? cluster.pod(podTargetOf(spec, binding)) : cluster.node(binding.node)
}

/** What was told of the whole spec is not told again of each container. */
function tell({ troubles, logHere }: Run, event: Omit<LogEvent, 'spec'>): void {
  const known = troubles.worst?.message
  if (known === undefined || !event.message.endsWith(known)) logHere(event)
}

interface Heard {
  readonly event: PodsEvent
  readonly retry: () => void
  readonly state: SpecState
}

function onPods(run: Run, { event, retry, state }: Heard): void {
  if (event.type === 'unreachable') {
    run.troubles.set('server', event.error)
  } else if (event.type === 'reachable') {
    run.troubles.clear('server')
    retry()
  } else {
    run.pods = event.pods
    rebind(run, state)
  }
}

/** Decides anew who is synced how, and carries that out; cheap when nothing changed. */
function rebind(run: Run, state: SpecState): void {
  const { pods, spec, fleet, troubles } = run
  if (pods !== undefined && fleet !== undefined && !run.signal.aborted) {
    const failing = new Set(fleet.keepers.filter((one) => one.failing).map(({ binding }) => binding.podUid))
    run.decision = decide({ spec, pods: run.early.apply(pods), leader: run.leader, failing })
    const { leader } = run.decision
    if (leader !== undefined && leader !== run.leader) save(run, () => state.rememberLeader(leader))
    run.leader = leader
    fleet.keep(run.decision.bindings)
    if (fleet.keepers.length === 0) troubles.clear('local')
  }
  run.changed()
}

function remember(run: Run, state: SpecState): void {
  save(run, async () => {
    const containers = (run.pods ?? []).flatMap((pod) => pod.containers)
    await state.markInSync(containers.flatMap(({ runningId }) => runningId ?? []))
    await state.removeBases((podUid) => !run.pods?.some(({ uid }) => uid === podUid))
  })
}

function save(run: Run, work: () => Promise<void>): void {
  run.saving = run.saving.then(work).catch((error) => {
    const message = `what was synced could not be written down: ${messageOf(error)}`
    run.logHere({ level: 'warn', message })
  })
}
