import { join } from 'node:path'
import { timestamp } from '../values.ts'
import type { Writer } from '../writer.ts'
import type { NodePaths } from './attempt.ts'
import type { Pod } from './pod-spec.ts'
import { removeTree } from './process.ts'
import { ContainerRunner, type RunnerOptions } from './runner.ts'
import { podStatus } from './status.ts'

export interface WorkerOptions {
  readonly pod: Pod
  /** Writes as the kubelet. */
  readonly writer: Writer
  readonly paths: NodePaths
}

/** Runs one pod, from when it is bound to the node until it is deleted, and reports how it does. */
export class PodWorker {
  #pod: Pod
  readonly #options: WorkerOptions
  readonly #init: readonly ContainerRunner[]
  readonly #main: readonly ContainerRunner[]
  readonly #ephemeral: ContainerRunner[] = []
  readonly #running: Promise<unknown>[] = []
  #reporting: NodeJS.Immediate | undefined
  #terminal = false
  /** The shortest time it was given to end, in seconds. */
  #grace = Number.POSITIVE_INFINITY

  constructor(options: WorkerOptions) {
    this.#options = options
    this.#pod = options.pod
    this.#init = (options.pod.spec.initContainers ?? []).map(({ name }) => this.#runner('init', name))
    this.#main = options.pod.spec.containers.map(({ name }) => this.#runner('main', name))
    this.#running.push(this.#run())
    this.#changed()
    this.update(options.pod)
  }

  /** The container of a name. */
  container(name: string): ContainerRunner | undefined {
    return this.#all().find(({ status }) => status.name === name)
  }

  /** Takes note of what the pod has become. */
  update(pod: Pod): void {
    this.#pod = pod
    const { deletionTimestamp, deletionGracePeriodSeconds = 30 } = pod.metadata
    if (deletionTimestamp !== undefined) return void this.#end(deletionGracePeriodSeconds)
    for (const { name } of pod.spec.ephemeralContainers ?? []) {
      if (this.container(name) === undefined) this.#addEphemeral(name)
    }
    for (const runner of this.#main) runner.update()
  }

  /** Ends what runs at once, and leaves nothing of it. */
  async close(): Promise<void> {
    this.#terminal = true
    await this.#stop(0)
    clearImmediate(this.#reporting)
    this.#remove()
  }

  async #run(): Promise<void> {
    for (const runner of this.#init) {
      await runner.run()
      if (!runner.status.ready) return
    }
    await Promise.all(this.#main.map((runner) => runner.run()))
  }

  async #end(graceSeconds: number): Promise<void> {
    if (graceSeconds >= this.#grace) return
    this.#grace = graceSeconds
    await this.#stop(graceSeconds * 1000)
    if (this.#terminal) return
    this.#terminal = true
    this.#report()
    this.#remove()
    this.#options.writer.delete(this.#key(), { gracePeriodSeconds: 0 })
  }

  async #stop(graceMs: number): Promise<void> {
    await Promise.all(this.#all().map((runner) => runner.stop(graceMs)))
    await Promise.all(this.#running)
  }

  #all(): ContainerRunner[] {
    return [...this.#init, ...this.#main, ...this.#ephemeral]
  }

  #addEphemeral(name: string): void {
    const runner = this.#runner('ephemeral', name)
    this.#ephemeral.push(runner)
    this.#running.push(runner.run())
    this.#changed()
  }

  #runner(role: RunnerOptions['role'], name: string): ContainerRunner {
    const { writer, paths } = this.#options
    return new ContainerRunner({
      ...{ role, name, paths, store: writer.store },
      pod: () => this.#pod,
      sibling: (other) => this.container(other),
      changed: () => this.#changed(),
    })
  }

  /** What changes in one turn of the event loop is reported once. */
  #changed(): void {
    this.#reporting ??= setImmediate(() => this.#report())
  }

  #report(): void {
    clearImmediate(this.#reporting)
    this.#reporting = undefined
    const statuses = (runners: readonly ContainerRunner[]) => runners.map(({ status }) => status)
    const view = {
      init: statuses(this.#init),
      containers: statuses(this.#main),
      ephemeral: statuses(this.#ephemeral),
      terminal: this.#terminal,
    }
    const reported = (status: unknown) => podStatus({ ...this.#pod, status }, view, timestamp(new Date()))
    this.#options.writer.change(
      this.#key(),
      (object) =>
        object.metadata.uid === this.#pod.metadata.uid
          ? { ...object, status: reported(object.status) }
          : object,
      'status',
    )
  }

  #key() {
    const { namespace, name } = this.#pod.metadata
    return { resource: 'pods', namespace, name }
  }

  #remove(): void {
    removeTree(join(this.#options.paths.pods, this.#pod.metadata.uid))
  }
}
