import type { NodeConnection } from '../../agent/connect.ts'
import type { Spec } from '../../config/spec.ts'
import { type BaseStore, openBaseStore } from '../../files/base/store.ts'
import type { ConflictDetail, Keep } from '../../files/conflicts.ts'
import { noRules } from '../../files/ignore/rule-set.ts'
import type { CloseReason, Replica } from '../../files/replica/replica.ts'
import type { SessionPhase, SessionStatus } from '../../files/status.ts'
import type { Pod } from '../pods.ts'
import type { Cluster, PodsEvent, RunningSession, SessionParts, World } from '../world.ts'

export const demo: Spec = {
  name: 'demo',
  local: '/home/me/demo',
  remote: '/srv/demo',
  context: 'kind',
  namespace: 'default',
  selector: 'app=demo',
  mode: 'two-way-safe',
}

/** A running, ready pod on a node of its own; `created` orders pods by age. */
export function runningPod(name: string, more: Partial<Pod> & { id?: string } = {}): Pod {
  const { id = `containerd://${name}`, ...rest } = more
  return {
    uid: `uid-${name}`,
    name,
    node: `node-${name}`,
    createdAt: `2024-01-01T00:00:00Z ${name}`,
    phase: 'Running',
    deleting: false,
    ready: true,
    defaultContainer: 'app',
    containers: [{ name: 'app', runningId: id === '' ? undefined : id, reason: '' }],
    ...rest,
  }
}

export function phase(name: SessionPhase, more: Partial<SessionStatus> = {}): SessionStatus {
  const none = { local: 0, remote: 0 }
  return { phase: name, entries: none, conflicts: [], problems: [], applied: none, ...more }
}

/** Something that can be closed from either end, as replicas and connections are. */
class Closable {
  readonly closed: Promise<CloseReason>
  isClosed = false
  end: (reason: CloseReason) => void = () => {}

  constructor() {
    this.closed = new Promise((resolve) => {
      this.end = (reason) => {
        this.isClosed = true
        resolve(reason)
      }
    })
  }

  async close(): Promise<void> {
    this.end({ kind: 'closed', message: 'closed' })
  }

  lose(): void {
    this.end({ kind: 'lost', message: 'lost' })
  }
}

/** A replica that is only ever opened and closed. */
export class FakeReplica extends Closable implements Replica {
  readonly tree = undefined
  readonly problems = new Map()
  readonly rules = noRules
  readonly info: Replica['info']

  constructor(readOnly?: string) {
    super()
    const storage = { kind: 'container', id: '' } as const
    this.info = { root: { dev: 1, ino: 1 }, storage, uid: 1000, gid: 1000, readOnly }
  }

  subscribe = () => () => {}
  rescan = async () => {}
  follow = async () => {}
  hash = async () => []
  time = async () => 0
  read(): never {
    throw new Error('not in this test')
  }
  apply(): never {
    throw new Error('not in this test')
  }
}

class FakeNode extends Closable implements NodeConnection {
  readonly hello = { version: '0', node: 'v20', pid: 1 }
  readonly replicas: FakeReplica[] = []
  readonly #world: FakeWorld
  readonly name: string

  constructor(world: FakeWorld, name: string) {
    super()
    this.#world = world
    this.name = name
  }

  async openReplica(): Promise<Replica> {
    await this.#world.hook('openReplica', this.name)
    const replica = new FakeReplica(this.#world.readOnly)
    this.replicas.push(replica)
    void this.closed.then((reason) => replica.end(reason))
    return replica
  }

  async reload(containerId: string, how: string): Promise<void> {
    await this.#world.hook('reload', `${how} ${containerId}`)
  }

  async replaceContainer(): Promise<never> {
    throw new Error('not in this test')
  }
}

/** A session under the control of a test; it ends when a replica of it does. */
export class FakeSession implements RunningSession {
  readonly parts: SessionParts
  readonly closed: Promise<string>
  running = true
  resumed = 0
  #close: (reason: string) => void = () => {}

  constructor(parts: SessionParts) {
    this.parts = parts
    this.closed = new Promise((resolve) => {
      this.#close = resolve
    })
    for (const side of [parts.local, parts.remote]) void side.closed.then(({ message }) => this.end(message))
  }

  get pod(): string {
    return this.parts.binding.pod
  }

  get role(): string {
    return this.parts.binding.role
  }

  says(status: SessionStatus): void {
    this.parts.onStatus(status)
  }

  end(reason: string): void {
    this.running = false
    this.#close(reason)
  }

  async stop(): Promise<void> {
    this.end('stopped')
  }

  resume(): void {
    this.resumed += 1
  }

  /** What a test has it say of its conflicts, and what it was told to keep. */
  details: ConflictDetail[] = []
  readonly kept: string[] = []
  readonly conflicts = {
    list: async () => this.details,
    resolve: async (path: string, keep: Keep) => {
      this.kept.push(`${path} ${keep}`)
    },
  }

  readonly merging = {
    preview: async (path: string) => ({ content: Buffer.from(path), versions: { local: '', remote: '' } }),
    carryOut: async (path: string) => {
      this.kept.push(`${path} merged`)
    },
  }

  async fetch(path: string): Promise<Buffer> {
    return Buffer.from(`${path} of ${this.pod}`)
  }
}

type Step =
  | 'openCluster'
  | 'connectNode'
  | 'connectPod'
  | 'openReplica'
  | 'openLocal'
  | 'startSession'
  | 'reload'
  | 'exec'

/** Kubernetes, nodes and folders as a test wants them to behave. */
export class FakeWorld implements World {
  readonly pace = { firstMs: 1, maxMs: 4 }
  readonly lingerMs = 1
  readonly nodes: FakeNode[] = []
  readonly locals: FakeReplica[] = []
  readonly sessions: FakeSession[] = []
  /** What a step does before it succeeds: throw, or wait. Given what it is about: a node, a context, a pod. */
  readonly before: Partial<Record<Step, (about: string) => unknown>> = {}
  /** How often each step was tried. */
  readonly tried: Partial<Record<Step, number>> = {}
  readOnly: string | undefined
  clustersOpen = 0
  readonly #podListeners = new Set<(event: PodsEvent) => void>()
  readonly #agentListeners = new Set<() => void>()
  #lastPods: PodsEvent | undefined

  async hook(step: Step, about: string): Promise<void> {
    this.tried[step] = (this.tried[step] ?? 0) + 1
    await this.before[step]?.(about)
  }

  /** Sessions that go on, in the order in which they began. */
  get running(): readonly FakeSession[] {
    return this.sessions.filter(({ running }) => running)
  }

  pods(...pods: Pod[]): void {
    this.#lastPods = { type: 'pods', pods }
    this.tell(this.#lastPods)
  }

  tell(event: PodsEvent): void {
    for (const listener of this.#podListeners) listener(event)
  }

  agentsChanged(): void {
    for (const listener of this.#agentListeners) listener()
  }

  async openCluster(context: string): Promise<Cluster> {
    await this.hook('openCluster', context)
    this.clustersOpen += 1
    return {
      watchPods: (_query, listener) => {
        this.#podListeners.add(listener)
        if (this.#lastPods !== undefined) listener(this.#lastPods)
        return () => this.#podListeners.delete(listener)
      },
      connectNode: (name) => this.#connect('connectNode', name),
      connectPod: ({ pod }) => this.#connect('connectPod', pod),
      exec: (_namespace, { pod }, command) => this.hook('exec', `${pod}: ${command.join(' ')}`),
      onAgents: (listener) => {
        this.#agentListeners.add(listener)
        return () => this.#agentListeners.delete(listener)
      },
      close: () => {
        this.clustersOpen -= 1
      },
    }
  }

  async #connect(step: Step, name: string): Promise<FakeNode> {
    await this.hook(step, name)
    const node = new FakeNode(this, name)
    this.nodes.push(node)
    return node
  }

  async openLocal(path: string): Promise<Replica> {
    await this.hook('openLocal', path)
    const replica = new FakeReplica()
    this.locals.push(replica)
    return replica
  }

  openBase(path: string): BaseStore {
    return openBaseStore(path)
  }

  async startSession(parts: SessionParts): Promise<RunningSession> {
    await this.hook('startSession', parts.binding.pod)
    const session = new FakeSession(parts)
    this.sessions.push(session)
    return session
  }
}
