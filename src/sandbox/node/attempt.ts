import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Store } from '../store.ts'
import { timestamp } from '../values.ts'
import { environmentOf, expand } from './environment.ts'
import { ContainerLog } from './log.ts'
import { type Container, NotYet, type Pod, podIPOf } from './pod-spec.ts'
import {
  type Command,
  killInside,
  rootVariable,
  signalGroup,
  startProcess,
  whyNotStarted,
} from './process.ts'
import { hideProcess, showProcess, showTarget } from './procfs.ts'
import type { Terminated } from './status.ts'
import { type Mounted, type Mounting, mount, unmount } from './volumes.ts'

/** Where a node keeps what. */
export interface NodePaths {
  readonly pods: string
  /** Process groups on record. */
  readonly records: string
  /** What pods with `hostPID` see as /proc. */
  readonly proc: string
  /** How its containers reach the API server; not at all unless given. */
  readonly api?: ApiAccess | undefined
}

export interface ApiAccess {
  readonly host: string
  readonly port: number
  /** Of every service account. */
  readonly token: string
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

/** How long what a container's processes had said is still read after their end, should anything hold it open. */
const drainMs = 1000

/** One run of a container: a fresh directory, its volumes, and its processes. */
export class Attempt {
  readonly #id = randomBytes(32).toString('hex')
  readonly container: Container
  readonly containerID = `sandbox://${this.#id}`
  readonly directory: string
  readonly log = new ContainerLog()
  readonly child: ChildProcess
  /** Why it could not be started; undefined when it runs. */
  readonly failed: Promise<string | undefined>
  /** When it has ended, and nothing of it is left but its files and log. */
  readonly over: Promise<Terminated>
  readonly #options: AttemptOptions
  readonly #mounting: Mounting
  readonly #place: Pick<Command, 'cwd' | 'env'>
  readonly #mounts: readonly Mounted[]
  /** Its own process and what runs beside it. */
  readonly #running = new Set<ChildProcess>()

  /** Makes all that the container needs, and starts it. Throws what cannot be made; starting fails later, in `over`. */
  constructor(options: AttemptOptions) {
    const { pod, container, store, paths, number, within } = options
    requireImage(container)
    this.#options = options
    this.container = container
    const directory = join(paths.pods, pod.metadata.uid)
    this.directory = join(directory, container.name, String(number))
    const root = within === undefined ? join(this.directory, 'root') : within.#mounting.root
    this.#mounting = { pod, container, store, directory, root, token: paths.api?.token }
    const env = { ...environmentOf(pod, container, store), [rootVariable]: root }
    this.#place = {
      cwd: join(root, container.workingDir ?? ''),
      env: { ...baseEnvironment(options, { root, directory: this.directory }), ...env },
    }
    try {
      mkdirSync(root, { recursive: true })
      if (within !== undefined) showTarget(join(this.directory, 'proc'), paths.proc, within.child.pid)
      this.#mounts = within === undefined ? mount(this.#mounting) : within.#mounts
      mkdirSync(this.#place.cwd, { recursive: true })
      const { command = [], args = [], stdin = false } = container
      const argv = [...command, ...args].map((text) => expand(text, this.#place.env))
      this.child = this.exec(argv, stdin)
      const shown = { containerId: this.#id, podUid: pod.metadata.uid, root, mounts: this.#mounts }
      showProcess(paths.proc, this.child.pid, shown)
      // The first process of a pid namespace takes all others in it with it.
      void within?.over.then(() => signalGroup(this.child, 'SIGKILL'))
    } catch (error) {
      this.#undo()
      throw error
    }
    this.failed = whyNotStarted(this.child)
    this.over = this.#run()
  }

  /** Starts a command in the container. */
  exec(argv: readonly string[], stdin: boolean): ChildProcess {
    const child = startProcess({ argv, stdin, ...this.#place }, this.#options.paths.records)
    this.#running.add(child)
    child.once('exit', () => this.#running.delete(child))
    return child
  }

  /** Runs a command in the container to its end; its exit code. The signal is a SIGKILL for it. */
  async run(argv: readonly string[], signal: AbortSignal): Promise<number | null> {
    const child = this.exec(argv, false)
    for (const stream of [child.stdout, child.stderr]) stream?.resume()
    if ((await whyNotStarted(child)) !== undefined) return null
    try {
      return (await once(child, 'exit', { signal }))[0]
    } catch (error) {
      signalGroup(child, 'SIGKILL')
      throw error
    }
  }

  async #run(): Promise<Terminated> {
    const failed = await this.failed
    const startedAt = timestamp(new Date())
    const exitCode = failed === undefined ? await this.#exitCode() : 128
    this.log.end()
    const message = failed ?? (exitCode === 0 ? '' : await this.#lastWords())
    this.#undo()
    return {
      exitCode,
      reason: failed !== undefined ? 'StartError' : exitCode === 0 ? 'Completed' : 'Error',
      ...(message === '' ? {} : { message }),
      ...{ startedAt, finishedAt: timestamp(new Date()), containerID: this.containerID },
    }
  }

  /** Follows its own process to the end, which is the end of all others. */
  async #exitCode(): Promise<number> {
    const { child, log } = this
    const closed = once(child, 'close')
    child.stdout?.on('data', (chunk: Buffer) => log.write('stdout', chunk))
    child.stderr?.on('data', (chunk: Buffer) => log.write('stderr', chunk))
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    for (const each of [child, ...this.#running]) signalGroup(each, 'SIGKILL')
    killInside(this.directory)
    await Promise.race([closed, delay(drainMs, undefined, { ref: false })])
    for (const stream of [child.stdout, child.stderr]) stream?.destroy()
    return code ?? 128 + (signal === null ? 0 : constants.signals[signal])
  }

  /** The last lines of its log, if its status is to have them. */
  async #lastWords(): Promise<string> {
    if (this.container.terminationMessagePolicy !== 'FallbackToLogsOnError') return ''
    const said: Buffer[] = []
    const last = { follow: false, timestamps: false, tailLines: 80 }
    for await (const piece of this.log.read(last)) said.push(piece)
    return Buffer.concat(said).subarray(-2048).toString()
  }

  /** Takes away what was made for it, but its files. */
  #undo(): void {
    const { within, paths } = this.#options
    for (const child of this.#running) signalGroup(child, 'SIGKILL')
    hideProcess(paths.proc, this.child?.pid)
    if (within === undefined) unmount(this.#mounting)
  }
}

/** The sandbox pulls nothing: programs are this machine's. */
function requireImage({ image = '', command = [] }: Container): void {
  if (/^[^/]*\.invalid(:\d+)?\//.test(image)) {
    throw new NotYet('ErrImagePull', `failed to resolve reference "${image}": no such host`)
  }
  if (command.length > 0) return
  const why = `the sandbox has no images, and so does not know what to run of "${image}"`
  throw new NotYet('ErrImagePull', `${why}: give the container a command`)
}

/** What every container's processes are told, as a runtime does it; programs are the machine's. */
function baseEnvironment(
  { pod, paths, within }: AttemptOptions,
  { root, directory }: { root: string; directory: string },
): Record<string, string> {
  const proc = within === undefined ? paths.proc : join(directory, 'proc')
  const looks = pod.spec.hostPID === true || within !== undefined
  return {
    PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
    HOME: root,
    HOSTNAME: pod.spec.hostname ?? pod.metadata.name,
    // Where a pod listens for itself alone: all pods have the machine's one loopback device.
    POD_LOOPBACK: podIPOf(pod),
    ...(paths.api && {
      KUBERNETES_SERVICE_HOST: paths.api.host,
      KUBERNETES_SERVICE_PORT: String(paths.api.port),
    }),
    ...(looks && process.platform === 'linux' ? { HOST_PROC: proc } : {}),
  }
}
