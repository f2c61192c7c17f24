import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Store } from '../store.ts'
import { timestamp } from '../values.ts'
import { Attempt, type NodePaths } from './attempt.ts'
import { type BackOff, delayAfter, inWords, nextBackOff } from './backoff.ts'
import { type Container, containersOf, NotYet, type Pod, podIPOf } from './pod-spec.ts'
import { watchHealth } from './probe.ts'
import { removeTree, signalGroup } from './process.ts'
import { type ContainerStatus, newStatus, runsAgain, type Terminated } from './status.ts'

/** How soon what a container waits for is looked at again. */
const retryMs = 1000

export interface RunnerOptions {
  readonly role: 'init' | 'main' | 'ephemeral'
  readonly name: string
  readonly paths: NodePaths
  readonly store: Store
  /** The pod as it is now. */
  pod(): Pod
  /** Another container of the pod. */
  sibling(name: string): ContainerRunner | undefined
  changed(): void
}

/** Keeps one container of a pod running, as its restart policy wants it. */
export class ContainerRunner {
  /** The last two, as the kubelet keeps them; the latest comes last. */
  attempts: readonly Attempt[] = []
  /** What runs. */
  current: Attempt | undefined
  status: ContainerStatus
  /** What was told to end. */
  #ending: Attempt | undefined
  readonly #options: RunnerOptions
  readonly #stopping = new AbortController()

  constructor(options: RunnerOptions) {
    this.#options = options
    const initializing = options.role === 'main' && (options.pod().spec.initContainers ?? []).length > 0
    this.status = newStatus(this.#spec(), initializing ? 'PodInitializing' : 'ContainerCreating')
  }

  /** Runs the container until it is over for good. */
  async run(): Promise<void> {
    let backOff: BackOff | undefined
    for (let number = 0; ; number += 1) {
      const attempt = await this.#make(number)
      if (attempt === undefined) return
      const end = await this.#follow(attempt, number)
      if (this.#stopping.signal.aborted || !this.#again(end)) return
      const finishedAt = Date.now()
      await this.#backOff(delayAfter(backOff, finishedAt))
      backOff = nextBackOff(backOff, finishedAt, Date.now())
    }
  }

  /** Ends the container for good: SIGTERM, and after a time SIGKILL. A later call may shorten that time. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort()
    await this.#terminate(graceMs)
  }

  /** What changed in the pod's spec while the container runs: a new image means a new container. */
  update(): void {
    if ((this.#spec().image ?? '') !== this.status.image) void this.#terminate()
  }

  #spec(): Container {
    const { name, pod } = this.#options
    return containersOf(pod()).find((container) => container.name === name) ?? { name }
  }

  #set(change: Partial<ContainerStatus>): void {
    this.status = { ...this.status, ...change }
    this.#options.changed()
  }

  #again({ exitCode }: Terminated): boolean {
    const { restartPolicy } = this.#options.pod().spec
    const { role } = this.#options
    if (role === 'main') return runsAgain(restartPolicy, exitCode)
    return role === 'init' && restartPolicy !== 'Never' && exitCode !== 0
  }

  /** Tries until the container can be made; undefined if it is told to stop meanwhile. */
  async #make(number: number): Promise<Attempt | undefined> {
    const { paths, store, pod } = this.#options
    while (!this.#stopping.signal.aborted) {
      const container = this.#spec()
      this.#set({ image: container.image ?? '' })
      try {
        const within = this.#target(container)
        return new Attempt({ pod: pod(), container, store, paths, number, within })
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        this.#wait(error instanceof NotYet ? error.reason : 'CreateContainerError', message)
      }
      await this.#sleep(retryMs)
    }
    return undefined
  }

  /** The container in whose root an ephemeral one runs. */
  #target(container: Container): Attempt | undefined {
    const name = 'targetContainerName' in container ? container.targetContainerName : undefined
    if (name === undefined) return undefined
    const target = this.#options.sibling(name)?.current
    if (target === undefined) throw new NotYet('CreateContainerConfigError', `container ${name} does not run`)
    return target
  }

  async #follow(attempt: Attempt, restartCount: number): Promise<Terminated> {
    this.current = attempt
    this.#keep(attempt)
    const failed = await attempt.failed
    const { containerID } = attempt
    const imageID = `sandbox://${this.status.image}`
    this.#set({ containerID, imageID, lastState: this.#lastState(), restartCount })
    const ended = new AbortController()
    if (failed === undefined) this.#begin(attempt, ended.signal)
    const terminated = await attempt.over
    ended.abort()
    this.current = undefined
    const ready = this.#options.role === 'init' && terminated.exitCode === 0
    this.#set({ state: { terminated }, started: false, ready })
    return terminated
  }

  #begin(attempt: Attempt, signal: AbortSignal): void {
    this.#set({ state: { running: { startedAt: timestamp(new Date()) } } })
    const podIP = podIPOf(this.#options.pod())
    const run: Attempt['run'] = (argv, until) => attempt.run(argv, until)
    void watchHealth(
      { container: attempt.container, podIP, signal, run },
      { onChange: (state) => this.#set(state), onUnhealthy: () => void this.#terminate() },
    )
  }

  async #backOff(waitMs: number): Promise<void> {
    if (waitMs === 0) return
    const { name, namespace, uid } = this.#options.pod().metadata
    const who = `container=${this.#options.name} pod=${name}_${namespace}(${uid})`
    this.#wait('CrashLoopBackOff', `${inWords(waitMs)} restarting failed ${who}`)
    await this.#sleep(waitMs)
  }

  #wait(reason: string, message: string): void {
    const state = { waiting: { reason, message } }
    if (!isDeepStrictEqual(state, this.status.state)) this.#set({ state, lastState: this.#lastState() })
  }

  #lastState(): ContainerStatus['lastState'] {
    const { state, lastState } = this.status
    return 'terminated' in state ? { terminated: state.terminated } : lastState
  }

  #keep(attempt: Attempt): void {
    const all = [...this.attempts, attempt]
    this.attempts = all.slice(-2)
    for (const { directory } of all.slice(0, -2)) removeTree(directory)
  }

  async #terminate(graceMs = this.#graceMs()): Promise<void> {
    const attempt = this.current
    if (attempt === undefined) return
    const timer = setTimeout(() => signalGroup(attempt.child, 'SIGKILL'), graceMs)
    if (this.#ending !== attempt) signalGroup(attempt.child, 'SIGTERM')
    this.#ending = attempt
    await attempt.over
    clearTimeout(timer)
  }

  #graceMs(): number {
    return (this.#options.pod().spec.terminationGracePeriodSeconds ?? 30) * 1000
  }

  async #sleep(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
  }
}
