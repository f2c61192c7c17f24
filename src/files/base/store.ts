import { dirname } from 'node:path'
import { KubesyncError, messageOf } from '../../errors.ts'
import { WireError } from '../../wire/error.ts'
import { applyDelta, countEntries } from '../delta.ts'
import type { RuleSet } from '../ignore/rule-set.ts'
import type { Contact } from '../mode.ts'
import { packTree } from '../packed.ts'
import { AfterBursts } from '../quiet.ts'
import type { Path } from '../tree.ts'
import type { BaseTree, BaseUpdate } from './base.ts'
import { emptyBase } from './base.ts'
import { baseEntryCodec } from './codec.ts'
import type { Disk } from './disk.ts'
import { nodeDisk } from './disk.ts'
import type { BaseState, Identity, Image } from './image.ts'
import {
  decodeImage,
  encodeImage,
  encodeIntents,
  encodeNewRules,
  encodeSettled,
  encodeUpdates,
} from './image.ts'
import type { Intent } from './intents.ts'

/** A log may grow to the size of its snapshot, and at least to this many bytes, before it becomes one. */
const MIN_LOG = 1 << 20
/** How many files that could not be read are kept. */
const MAX_DAMAGED = 3

/** A base on disk. One process at a time; all methods are synchronous. */
export interface BaseStore {
  /** Where it is kept. */
  readonly path: string
  readonly tree: BaseTree
  /** What the base holds for; undefined until the first `reset`. */
  readonly identity: Identity | undefined
  /** What holds for paths that were never agreed on. */
  readonly firstContact: Contact
  /** What is ignored, and so not in the tree; undefined if nobody wrote that down yet. */
  readonly rules: RuleSet | undefined
  /** A file that could not be read: it was renamed, and an empty base deletes nothing. */
  readonly setAside: { readonly path: string; readonly reason: string } | undefined
  /** Why changes are not on disk, while they are not; they are written with the next ones. */
  readonly unsaved: string | undefined
  /** Begins an empty base. Throws `BASE_UNWRITABLE` if it cannot be written. */
  reset(identity: Identity, firstContact: Contact): void
  commit(updates: readonly BaseUpdate[]): void
  /** What was sent and not answered when the last session ended. */
  readonly intents: readonly Intent[]
  /** What is about to be sent: it is known, whatever becomes of this process, until it is committed or forgotten. */
  intend(intents: readonly Intent[]): void
  /** All that was sent is answered. */
  forgetIntents(): void
  /** Goes by other rules from now on. */
  setRules(rules: RuleSet): void
  /** First contact is over: from now on the mode alone decides. */
  settle(): void
  close(): void
}

/**
 * Opens, and makes if need be, the file a base is kept in. Throws `BASE_UNREADABLE` if the file is there but
 * the system does not let us read it.
 */
export function openBaseStore(path: string, disk: Disk = nodeDisk): BaseStore {
  const store = new FileBaseStore(path, disk)
  store.load()
  return store
}

class FileBaseStore implements BaseStore {
  setAside: BaseStore['setAside']
  unsaved: string | undefined
  private state: BaseState | undefined
  readonly path: string
  private readonly disk: Disk
  private fd: number | undefined
  /** Bytes of the file that are good, and of those the snapshot's. */
  private length = 0
  private snapshotBytes = 0
  /** Whether it is not known what the file holds: then only a new one will do. */
  private isDoubtful = false
  /** From then on the file may be another store's. */
  private isClosed = false
  /** What could not be written yet. */
  private pending: Buffer[] = []
  /** By path. */
  private readonly open = new Map<Path, Intent>()
  private readonly bursts = new AfterBursts(() => this.pack())

  constructor(path: string, disk: Disk) {
    this.path = path
    this.disk = disk
  }

  get tree(): BaseTree {
    return this.state?.tree ?? emptyBase
  }

  get identity(): Identity | undefined {
    return this.state?.identity
  }

  get rules(): RuleSet | undefined {
    return this.state?.rules
  }

  get firstContact(): Contact {
    return this.state?.firstContact ?? 'merge'
  }

  load(): void {
    try {
      const bytes = this.disk.read(this.path)
      if (bytes !== undefined) this.take(bytes)
    } catch (error) {
      throw new KubesyncError('BASE_UNREADABLE', `${this.path}: ${messageOf(error)}`, { cause: error })
    }
  }

  reset(identity: Identity, firstContact: Contact): void {
    const state: BaseState = { identity, firstContact, tree: emptyBase }
    this.open.clear()
    try {
      this.disk.makeDirectory(dirname(this.path))
      this.writeSnapshot(state)
      this.state = state
    } catch (error) {
      throw new KubesyncError('BASE_UNWRITABLE', `${this.path}: ${messageOf(error)}`, { cause: error })
    }
  }

  commit(updates: readonly BaseUpdate[]): void {
    const state = this.bound()
    if (updates.length === 0) return
    const isRemoving = updates.some(([, entry]) => entry === null)
    for (const [path] of updates) this.open.delete(path)
    this.bursts.note(updates.length)
    this.append(
      { ...state, tree: applyDelta(state.tree, updates) ?? emptyBase },
      encodeUpdates(updates),
      isRemoving,
    )
  }

  get intents(): readonly Intent[] {
    return [...this.open.values()]
  }

  intend(intents: readonly Intent[]): void {
    if (intents.length === 0) return
    for (const intent of intents) this.open.set(intent.path, intent)
    this.append(this.bound(), encodeIntents(intents))
  }

  forgetIntents(): void {
    if (this.open.size === 0) return
    this.open.clear()
    this.append(this.bound(), encodeIntents([]))
  }

  setRules(rules: RuleSet): void {
    this.append({ ...this.bound(), rules }, encodeNewRules(rules))
  }

  settle(): void {
    const state = this.bound()
    if (state.firstContact === 'over') return
    this.append({ ...state, firstContact: 'over' }, encodeSettled(), true)
  }

  close(): void {
    this.compact()
    this.isClosed = true
    this.closeFile()
  }

  private bound(): BaseState {
    if (this.state === undefined) throw new Error('the base was never bound to a container')
    return this.state
  }

  private take(bytes: Buffer): void {
    let image: Image
    try {
      image = decodeImage(bytes)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.putAside(error.message)
      return
    }
    this.state = image.state
    for (const intent of image.intents) this.open.set(intent.path, intent)
    this.bursts.note(countEntries(image.state.tree))
    this.snapshotBytes = image.snapshotBytes
    this.length = image.length
    this.fd = this.disk.open(this.path, { empty: false })
    if (image.length < bytes.length) this.disk.truncate(this.fd, image.length)
  }

  /** Keeps the last few, for whoever wants to know what happened to them. */
  private putAside(reason: string): void {
    const at = (number: number) => `${this.path}.damaged-${number}`
    let number = 1
    while (number < MAX_DAMAGED && this.disk.exists(at(number))) number++
    if (this.disk.exists(at(number))) {
      for (let old = 1; old < number; old++) this.disk.rename(at(old + 1), at(old))
    }
    this.disk.rename(this.path, at(number))
    this.setAside = { path: at(number), reason }
  }

  /**
   * Without fsync, unless it has to last: what the process wrote outlives the process, and what a machine loses with its
   * power leaves an older base, which is safe. A record that was cut off must go before another follows it.
   */
  private append(state: BaseState, record: Buffer, hasToLast = false): void {
    this.state = state
    this.pending.push(record)
    try {
      const log = this.length - this.snapshotBytes
      if (this.isDoubtful || log > Math.max(MIN_LOG, this.snapshotBytes)) this.writeSnapshot(state)
      else this.flush()
      if (hasToLast && this.fd !== undefined) this.disk.sync(this.fd)
      this.unsaved = undefined
    } catch (error) {
      this.unsaved = messageOf(error)
    }
  }

  private pack(): void {
    if (this.state !== undefined)
      this.state = { ...this.state, tree: packTree(this.state.tree, baseEntryCodec) }
    this.compact()
  }

  /** A log is read update by update, a snapshot as it is held: whoever starts next is to find little of a log. */
  private compact(): void {
    if (this.state === undefined || this.fd === undefined || this.isClosed) return
    if (this.length - this.snapshotBytes <= MIN_LOG) return
    try {
      this.writeSnapshot(this.state)
    } catch {
      // The log says the same; what is appended next tries again.
    }
  }

  private closeFile(): void {
    if (this.fd !== undefined) this.disk.close(this.fd)
    this.fd = undefined
  }

  private flush(): void {
    this.fd ??= this.disk.open(this.path, { empty: false })
    const bytes = Buffer.concat(this.pending)
    try {
      this.disk.write(this.fd, bytes)
    } catch (error) {
      this.isDoubtful = true
      this.disk.truncate(this.fd, this.length)
      this.isDoubtful = false
      throw error
    }
    this.length += bytes.length
    this.pending = []
  }

  private writeSnapshot(state: BaseState): void {
    const bytes = Buffer.concat([encodeImage(state), encodeIntents(this.intents)])
    const temporary = `${this.path}.tmp`
    this.isDoubtful = true
    const fd = this.disk.open(temporary, { empty: true })
    try {
      this.disk.write(fd, bytes)
      this.disk.sync(fd)
    } finally {
      this.disk.close(fd)
    }
    // Some systems rename over no file that is open.
    this.closeFile()
    this.disk.rename(temporary, this.path)
    this.isDoubtful = false
    this.length = bytes.length
    this.snapshotBytes = bytes.length
    this.pending = []
  }
}
