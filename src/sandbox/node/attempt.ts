import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { Store } from '../store.ts'
import { started } from './command.ts'
import { environmentOf, expand } from './environment.ts'
import { ContainerLog } from './log.ts'
import { lastWords } from './log-read.ts'
import type { Container, Pod } from './pod-spec.ts'
import { killInside, rootVariable, signalGroup, startProcess } from './process.ts'
import { hideProcess, showProcess } from './procfs.ts'
import { type Terminated, timestamp } from './status.ts'
import { type Mounted, mount, unmount } from './volumes.ts'

/** Where a node keeps what. */
export interface NodePaths {
  readonly pods: string
  /** Process groups on record. */
  readonly records: string
  /** What pods with `hostPID` see as /proc. */
  readonly proc: string
}

export interface AttemptOptions {
  readonly pod: Pod
  readonly container: Container
  readonly store: Store
  readonly paths: NodePaths
  /** Counts from 0 with the container's restarts. */
  readonly number: number
  /** The container in whose root an ephemeral one runs. */
  readonly within: Attempt | undefined
}

type Listener = (stream: 'stdout' | 'stderr', chunk: Buffer) => Promise<void>

/** How long what a container's processes had said is still read after their end, should anything hold it open. */
const drainMs = 1000

/** One run of a container: a fresh directory, its volumes, and its processes. */
export class Attempt {
  readonly containerID: string
  /** Holds its root and its log. */
  readonly directory: string
  readonly log: ContainerLog
  readonly root: string
  readonly cwd: string
  readonly mounts: readonly Mounted[]
  readonly env: Readonly<Record<string, string>>
  /** Who is attached; each is waited for before more is read. */
  readonly attached = new Set<Listener>()
  readonly child: ChildProcess
  /** Whether stdin ends with the first client that was attached to it. */
  readonly stdinOnce: boolean
  /** Why it could not be started; undefined when it runs. */
  readonly started: Promise<string | undefined>
  /** When it has ended, and nothing of it is left but its directory and log. */
  readonly over: Promise<Terminated>
  readonly #options: AttemptOptions
  /** What runs beside the container's own process. */
  readonly #execs = new Set<ChildProcess>()
  #startedAt = new Date()

  /** Makes all that the container needs, and starts it. Throws what cannot be made; starting fails later, in `over`. */
  constructor(options: AttemptOptions) {
    const { pod, container, store, paths, number, within } = options
    this.#options = options
    this.stdinOnce = container.stdinOnce ?? false
    const id = randomBytes(32).toString('hex')
    this.containerID = `sandbox://${id}`
    this.directory = join(paths.pods, pod.metadata.uid, container.name, String(number))
    this.root = within?.root ?? join(this.directory, 'root')
    this.env = {
      ...baseEnvironment(options, this.root),
      ...environmentOf(pod, container, store),
      [rootVariable]: this.root,
    }
    this.cwd = join(this.root, container.workingDir ?? '')
    mkdirSync(this.root, { recursive: true })
    mkdirSync(this.directory, { recursive: true })
    try {
      this.mounts = within?.mounts ?? mount(this.#mounting())
      mkdirSync(this.cwd, { recursive: true })
      this.log = new ContainerLog(join(this.directory, 'log'))
      this.child = this.#start()
      this.#show(id)
    } catch (error) {
      this.#undo()
      throw error
    }
    this.started = started(this.child)
    this.over = this.#run()
  }

  /** Starts a command beside the container's own. */
  exec(argv: readonly string[], stdin: boolean): ChildProcess {
    const child = startProcess({ argv, cwd: this.cwd, env: this.env, stdin }, this.#options.paths.records)
    this.#execs.add(child)
    child.once('exit', () => this.#execs.delete(child))
    return child
  }

  #start(): ChildProcess {
    const { command = [], args = [], stdin = false } = this.#options.container
    return this.exec(
      [...command, ...args].map((text) => expand(text, this.env)),
      stdin,
    )
  }

  async #run(): Promise<Terminated> {
    const failed = await this.started
    if (failed !== undefined) return this.#finish({ exitCode: 128, reason: 'StartError', message: failed })
    this.#startedAt = new Date()
    const pumps = [this.#pump('stdout', this.child.stdout), this.#pump('stderr', this.child.stderr)]
    const [code, signal] = (await once(this.child, 'exit')) as [number | null, NodeJS.Signals | null]
    for (const child of [this.child, ...this.#execs]) signalGroup(child, 'SIGKILL')
    killInside(this.directory)
    await Promise.race([Promise.all(pumps), delay(drainMs, undefined, { ref: false })])
    for (const stream of [this.child.stdout, this.child.stderr]) stream?.destroy()
    const exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal])
    return this.#finish({ exitCode, reason: exitCode === 0 ? 'Completed' : 'Error' })
  }

  async #finish(end: { exitCode: number; reason: string; message?: string }): Promise<Terminated> {
    this.log.end()
    const said = end.message ?? (await this.#message(end.exitCode))
    this.#undo()
    return {
      exitCode: end.exitCode,
      reason: end.reason,
      ...(said === '' ? {} : { message: said }),
      startedAt: timestamp(this.#startedAt),
      finishedAt: timestamp(),
      containerID: this.containerID,
    }
  }

  /** What the container said of its end in the file for that, else its last words. */
  async #message(exitCode: number): Promise<string> {
    const { terminationMessagePath, terminationMessagePolicy } = this.#options.container
    const path = join(this.root, terminationMessagePath ?? 'dev/termination-log')
    const said = existsSync(path) ? readFileSync(path, 'utf8').slice(0, 4096) : ''
    if (said !== '' || exitCode === 0 || terminationMessagePolicy !== 'FallbackToLogsOnError') return said
    return lastWords(this.log)
  }

  async #pump(name: 'stdout' | 'stderr', stream: Readable | null): Promise<void> {
    try {
      for await (const chunk of stream ?? []) {
        this.log.write(name, chunk)
        await Promise.all([...this.attached].map((listener) => listener(name, chunk)))
      }
    } catch {
      // Whatever still held it open when the container ended is not waited for.
    }
  }

  #show(containerId: string): void {
    const { pid } = this.child
    if (process.platform !== 'linux' || pid === undefined) return
    const podUid = this.#options.pod.metadata.uid
    showProcess(this.#options.paths.proc, { pid, containerId, podUid, root: this.root, mounts: this.mounts })
  }

  /** Takes away what was made for it, but its files. */
  #undo(): void {
    const { within, paths } = this.#options
    for (const child of this.#execs) signalGroup(child, 'SIGKILL')
    if (this.child?.pid !== undefined) hideProcess(paths.proc, this.child.pid)
    if (within === undefined) unmount(this.#mounting())
  }

  #mounting() {
    const { pod, container, store, paths } = this.#options
    return { pod, container, store, directory: join(paths.pods, pod.metadata.uid), root: this.root }
  }
}

/** What every container's processes are told, as a runtime does it; programs are the machine's. */
function baseEnvironment({ pod, paths }: AttemptOptions, root: string): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
    HOME: root,
    HOSTNAME: pod.spec.hostname ?? pod.metadata.name,
    ...(pod.spec.hostPID === true && process.platform === 'linux' ? { HOST_PROC: paths.proc } : {}),
  }
}
