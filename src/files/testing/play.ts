import { type BaseStore, openBaseStore } from '../base/store.ts'
import type { Contact, FirstContact, Mode } from '../mode.ts'
import { type Session, startSession } from '../session.ts'
import type { Side } from '../side.ts'
import type { SessionStatus } from '../status.ts'
import type { Path } from '../tree.ts'
import { FakeReplica } from './fake-replica.ts'
import { MemoryDisk } from './memory-disk.ts'
import { type Edit, MemoryFiles } from './memory-files.ts'
import { isNear, Oracle } from './oracle.ts'

export type Step =
  /** After so many milliseconds. */
  | { readonly step: 'edit'; readonly side: Side; readonly edit: Edit; readonly gap: number }
  /** Both sides write the same. */
  | { readonly step: 'same'; readonly path: Path }
  /** Turns of the event loop go by. */
  | { readonly step: 'wait'; readonly turns: number }
  /** The connection to a side is lost after so many operations there. */
  | { readonly step: 'cut'; readonly side: Side; readonly after: number }
  /** The machine loses its power: of what was saved, only so much of it was, by age. */
  | { readonly step: 'power loss'; readonly age: number }
  | { readonly step: 'settle' | 'restart' | 'fresh container' }

export interface Setting {
  readonly mode: Mode
  readonly contact: FirstContact
  /** How far remote's clock is ahead, in milliseconds. */
  readonly skew: number
  readonly tellsLate: boolean
}

/** What a container has when it is new. */
const IMAGE = ['a/b', 'c']
const EPOCH = 1_000_000_000_003
const BASE = '/state/base'
/** Copies of the base that a power loss may leave. */
const MAX_COPIES = 8

/** A user, a container and a session between them, which may be cut off anywhere, and an oracle that looks on. */
export class Play {
  readonly time = { now: 0 }
  readonly oracle: Oracle
  readonly local: MemoryFiles
  remote: MemoryFiles
  /** What the sides would be if nobody synced them. */
  readonly alone: Record<Side, MemoryFiles>
  /** Contents that the sync took from local. */
  readonly trash = new Set<string>()
  private readonly setting: Setting
  private readonly disk = new MemoryDisk()
  private copies: { readonly files: ReadonlyMap<string, Buffer>; readonly agreements: number }[] = []
  private replicas: Record<Side, FakeReplica>
  private base: BaseStore | undefined
  private session: Session | undefined
  private containers = 0
  private writes = 0

  constructor(setting: Setting) {
    this.setting = setting
    this.oracle = new Oracle(setting.mode, setting.contact)
    this.local = new MemoryFiles(EPOCH, this.time)
    this.remote = new MemoryFiles(EPOCH + setting.skew, this.time)
    this.alone = { local: new MemoryFiles(0), remote: new MemoryFiles(0) }
    this.replicas = this.connect()
  }

  /** Both sides meet for the first time. */
  begin(): void {
    this.beginContainer(this.setting.contact)
  }

  async take(step: Step): Promise<void> {
    switch (step.step) {
      case 'edit':
        this.time.now += step.gap
        return this.edit(step.side, step.edit)
      case 'same':
        return this.writeSame(step.path)
      case 'wait':
        for (let i = 0; i < step.turns; i++) await new Promise((resolve) => setImmediate(resolve))
        return
      case 'cut':
        this.replicas[step.side].diesAfter = step.after
        return
      case 'power loss':
        return this.losePower(step.age)
      case 'settle':
        await this.settle()
        return
      case 'restart':
        return this.restart()
      case 'fresh container':
        return this.replaceContainer()
    }
  }

  async settle(): Promise<SessionStatus> {
    for (let i = 0; i < 20; i++) {
      this.replicas.local.scan()
      this.replicas.remote.scan()
      const status = await this.session?.settled()
      if (status === undefined || status.phase === 'ended') await this.restart()
      else if (status.phase === 'halted') this.session?.resume()
      else if (!this.hasMoreToTell) return this.remember(status)
    }
    throw new Error('never in sync')
  }

  async restart(): Promise<void> {
    await this.stop()
    this.oracle.interrupted()
    this.start()
  }

  async stop(): Promise<void> {
    await this.session?.stop()
    this.base?.close()
  }

  /** All contents there are. */
  get found(): ReadonlySet<string> {
    return new Set([...contentsOf(this.local), ...contentsOf(this.remote)])
  }

  /** Whether a side may have something at a path for reasons of its own: it was made there, or another container had it. */
  isOwn(side: Side, path: Path): boolean {
    if (this.oracle.touched(side, path)) return true
    if (this.containers === 0) return false
    return IMAGE.some((one) => isNear(one, path)) || this.oracle.touched('remote', path)
  }

  /** Whether a replica had not told of everything yet. */
  private get hasMoreToTell(): boolean {
    this.replicas.local.scan()
    this.replicas.remote.scan()
    return this.session?.status.phase !== 'in-sync'
  }

  private edit(side: Side, edit: Edit): void {
    const done = edit.do === 'write' ? { ...edit, content: `${edit.content}.${++this.writes}` } : edit
    const before = contentsOf(this[side])
    this.alone[side].edit(done)
    this.replicas[side].edit(done)
    const left = contentsOf(this[side])
    const gone = [...before].filter((content) => !left.has(content))
    this.oracle.edited({ side, edit: done, at: this.time.now }, gone)
    // What somebody writes into a container that is being seeded may be taken for the image's.
    const isSeeding = side === 'remote' && this.base?.firstContact === 'seed'
    if (done.do === 'write' && isSeeding) this.oracle.forget([done.content])
  }

  private writeSame(path: Path): void {
    const edit: Edit = { do: 'write', path, content: 'same' }
    this.edit('local', edit)
    this.writes--
    this.edit('remote', edit)
  }

  private remember(status: SessionStatus): SessionStatus {
    const [here, there] = [this.local.listing(), this.remote.listing()]
    // What one way of syncing leaves to a side alone, the two did not agree on.
    const apart = [...here.keys(), ...there.keys()].filter((path) => here.get(path) !== there.get(path))
    this.oracle.agreed([...status.conflicts.map(({ path }) => path), ...apart])
    const copy = { files: this.disk.copy, agreements: this.oracle.agreementCount }
    this.copies = [copy, ...this.copies].slice(0, MAX_COPIES)
    return status
  }

  private async losePower(age: number): Promise<void> {
    await this.stop()
    // What was written after the copy that is left never was.
    this.copies = this.copies.slice(Math.max(0, Math.min(age, this.copies.length - 1)))
    const [copy] = this.copies
    if (copy !== undefined) {
      this.disk.restore(copy.files)
      this.oracle.loseAgreements(copy.agreements)
    }
    this.oracle.interrupted()
    this.start()
  }

  private async replaceContainer(): Promise<void> {
    await this.stop()
    // What was only in the old container is gone with it.
    const here = contentsOf(this.local)
    this.oracle.forget([...contentsOf(this.remote)].filter((content) => !here.has(content)))
    this.oracle.leftOn('local', here)
    this.oracle.loseAgreements(0)
    this.containers++
    this.remote = new MemoryFiles(EPOCH + this.setting.skew, this.time)
    this.alone.remote = new MemoryFiles(0)
    for (const path of IMAGE) {
      const edit: Edit = { do: 'write', path, content: 'of the image' }
      for (const files of [this.remote, this.alone.remote]) files.edit(edit)
      this.oracle.edited({ side: 'remote', edit, at: this.time.now }, [])
      this.oracle.forget([edit.content])
    }
    this.beginContainer('seed')
  }

  private beginContainer(contact: Contact): void {
    const base = openBaseStore(BASE, this.disk)
    base.reset({ container: `${this.containers}`, localRoot: '', remoteRoot: '', storage: '' }, contact)
    base.close()
    this.copies = []
    this.start()
  }

  private start(): void {
    this.replicas = this.connect()
    this.base = openBaseStore(BASE, this.disk)
    const { mode } = this.setting
    this.session = startSession({ ...this.replicas, base: this.base, mode, settleMs: 1 })
  }

  private connect(): Record<Side, FakeReplica> {
    const local = new FakeReplica(this.local)
    const remote = new FakeReplica(this.remote)
    local.hook = ({ path }) => {
      const content = contentAt(this.local, path)
      if (content !== undefined) this.trash.add(content)
      return undefined
    }
    for (const replica of [local, remote]) replica.tellsLate = this.setting.tellsLate
    return { local, remote }
  }
}

function contentAt(files: MemoryFiles, path: Path): string | undefined {
  return contentOf(files.listing().get(path) ?? '')
}

function contentsOf(files: MemoryFiles): Set<string> {
  return new Set([...files.listing().values()].flatMap((what) => contentOf(what) ?? []))
}

function contentOf(what: string): string | undefined {
  return /^file (.*?)( \*)?$/.exec(what)?.[1]
}
