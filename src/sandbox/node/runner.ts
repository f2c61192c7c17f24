import { rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Store } from '../store.ts'
import { Attempt, type NodePaths } from './attempt.ts'
import { type BackOff, delayAfter, inWords, nextBackOff } from './backoff.ts'
import { runCommand } from './command.ts'
import type { Happening } from './events.ts'
import { runHook, watchHealth } from './health.ts'
import { makeAttempt } from './make.ts'
import { type Container, containersOf, fullNameOf, type Pod, podIPOf } from './pod-spec.ts'
import type { Probed } from './probe.ts'
import { signalGroup } from './process.ts'
import { type ContainerView, newView, runsAgain, type Terminated, timestamp } from './status.ts'

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
  record(happening: Happening): void
}

/** Keeps one container of a pod running, as its restart policy wants it. */
export class ContainerRunner {
  /** The last two attempts, by container ID. */
  readonly attempts = new Map<string, Attempt>()
  current: Attempt | undefined
  view: ContainerView
  /** What was told to end. */
  #ending: Attempt | undefined
  readonly #options: RunnerOptions
  readonly #stopping = new AbortController()

  constructor(options: RunnerOptions) {
    this.#options = options
    const initializing = options.role === 'main' && (options.pod().spec.initContainers ?? []).length > 0
    this.view = newView(this.#spec(), initializing ? 'PodInitializing' : 'ContainerCreating')
  }

  /** Runs the container until it is over for good. */
  async run(): Promise<void> {
    let backOff: BackOff | undefined
    for (let number = 0; ; number += 1) {
      const end = await this.#runOnce(number)
      if (end === undefined || this.#stopping.signal.aborted || !this.#again(end)) return
      const finishedAt = Date.now()
      await this.#backOff(delayAfter(backOff, finishedAt))
      if (this.#stopping.signal.aborted) return
      backOff = nextBackOff(backOff, finishedAt, Date.now())
    }
  }

  /** Ends the container for good: SIGTERM, and after a time SIGKILL. A later call may shorten that time. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort()
    await this.#terminate(graceMs, `Stopping container ${this.#options.name}`)
  }

  /** What changed in the pod's spec while the container runs: a new image means a new container. */
  update(): void {
    if (this.current === undefined || this.#spec().image === this.view.container.image) return
    void this.#terminate(this.#graceMs(), `Container ${this.#options.name} definition changed`)
  }

  #spec(): Container {
    const found = containersOf(this.#options.pod()).find(({ name }) => name === this.#options.name)
    return found ?? this.view.container
  }

  #set(change: Partial<ContainerView>): void {
    this.view = { ...this.view, ...change }
    this.#options.changed()
  }

  #record(type: Happening['type'], reason: string, message: string): void {
    this.#options.record({ type, reason, message, container: this.#options.name })
  }

  #again({ exitCode }: Terminated): boolean {
    const { restartPolicy } = this.#options.pod().spec
    const { role } = this.#options
    if (role === 'main') return runsAgain(restartPolicy, exitCode)
    return role === 'init' && restartPolicy !== 'Never' && exitCode !== 0
  }

  async #backOff(waitMs: number): Promise<void> {
    if (waitMs === 0) return
    const who = `container=${this.#options.name} pod=${fullNameOf(this.#options.pod())}`
    this.#wait('CrashLoopBackOff', `${inWords(waitMs)} restarting failed ${who}`)
    await this.#sleep(waitMs)
  }

  async #runOnce(number: number): Promise<Terminated | undefined> {
    const attempt = await this.#make(number)
    if (attempt === undefined) return undefined
    this.#keep(attempt)
    const failed = await attempt.started
    this.#set({ containerID: attempt.containerID, lastState: this.#lastState(), restartCount: number })
    const ended = new AbortController()
    if (failed === undefined) this.#begin(ended.signal)
    else this.#record('Warning', 'Failed', `Error: ${failed}`)
    const terminated = await attempt.over
    ended.abort()
    this.current = undefined
    const ready = this.#options.role === 'init' && terminated.exitCode === 0
    this.#set({ state: { terminated }, started: false, ready })
    return terminated
  }

  /** Tries until the container can be made; undefined if it is told to stop meanwhile. */
  async #make(number: number): Promise<Attempt | undefined> {
    const { paths, store, sibling } = this.#options
    while (!this.#stopping.signal.aborted) {
      const container = this.#spec()
      this.#set({ container })
      const made = makeAttempt({ pod: this.#options.pod(), ...{ container, store, paths, number } }, sibling)
      if (made instanceof Attempt) {
        this.current = made
        return made
      }
      this.#wait(made.reason, made.message)
      await this.#sleep(retryMs)
    }
    return undefined
  }

  #wait(reason: string, message: string): void {
    const { state } = this.view
    if ('waiting' in state && state.waiting.reason === reason && state.waiting.message === message) return
    this.#set({ state: { waiting: { reason, message } }, lastState: this.#lastState() })
    if (reason === 'CrashLoopBackOff') this.#record('Warning', 'BackOff', message)
    else this.#record('Warning', 'Failed', `Error: ${reason}: ${message}`)
  }

  #lastState(): ContainerView['lastState'] {
    const { state, lastState } = this.view
    return 'terminated' in state ? { terminated: state.terminated } : lastState
  }

  /** Of what ended, the last is kept, as the kubelet does. */
  #keep(attempt: Attempt): void {
    this.attempts.set(attempt.containerID, attempt)
    for (const [id, { directory }] of [...this.attempts].slice(0, -2)) {
      this.attempts.delete(id)
      rmSync(directory, { recursive: true, force: true })
    }
  }

  #begin(signal: AbortSignal): void {
    const { name } = this.#options
    this.#set({ state: { running: { startedAt: timestamp() } } })
    this.#record('Normal', 'Started', `Started container ${name}`)
    watchHealth({
      ...{ container: this.view.container, target: this.#probed(), signal },
      onChange: (state) => this.#set(state),
      onProblem: (reason, message, fatal) => {
        this.#record('Warning', reason, message)
        if (fatal) void this.#terminate(this.#graceMs(), `Container ${name} failed: ${message}`)
      },
    })
  }

  async #terminate(graceMs: number, why: string): Promise<void> {
    const attempt = this.current
    if (attempt === undefined) return
    const timer = setTimeout(() => signalGroup(attempt.child, 'SIGKILL'), graceMs)
    if (this.#ending !== attempt) {
      this.#ending = attempt
      this.#record('Normal', 'Killing', why)
      await Promise.race([runHook(this.view.container.lifecycle?.preStop, this.#probed()), attempt.over])
      signalGroup(attempt.child, 'SIGTERM')
    }
    await attempt.over
    clearTimeout(timer)
  }

  #graceMs(): number {
    return (this.#options.pod().spec.terminationGracePeriodSeconds ?? 30) * 1000
  }

  #probed(): Probed {
    const { current } = this
    return {
      container: this.view.container,
      podIP: podIPOf(this.#options.pod()),
      run: async (argv, timeoutMs) =>
        current === undefined ? { code: 1, output: '' } : runCommand(current.exec(argv, false), timeoutMs),
    }
  }

  async #sleep(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
  }
}
