import { PassThrough, type Readable } from 'node:stream'
import { readMessages } from '../../wire/messages.ts'
import { applyDelta, diffTrees } from '../delta.ts'
import { noRules, type RuleSet } from '../ignore/rule-set.ts'
import type { Operation, Outcome, Problem } from '../operation.ts'
import { ContentReader, ContentWriter } from '../replica/content.ts'
import type {
  CloseReason,
  ContentSource,
  HashRequest,
  ReadRequest,
  Replica,
  ReplicaInfo,
} from '../replica/replica.ts'
import type { Delta, Digest, Path, Tree } from '../tree.ts'
import type { Edit } from './memory-files.ts'
import { digestOf, type MemoryFiles, type ReadSource } from './memory-files.ts'

const info: ReplicaInfo = {
  root: { dev: 1, ino: 1 },
  storage: { kind: 'local', id: '' },
  uid: 0,
  gid: 0,
  readOnly: undefined,
}

/** What a test has a replica do at an operation. */
export type Hook = (operation: Operation) => Promise<undefined> | Problem | undefined

/** A replica of files in memory. It sees edits when `scan` is called, or by itself a moment later. */
export class FakeReplica implements Replica {
  info: ReplicaInfo = info
  readonly files: MemoryFiles
  readonly problems = new Map<Path, Problem>()
  readonly closed: Promise<CloseReason>
  tree: Tree
  rules: RuleSet | undefined = noRules
  /** Called before each operation: waits, or fails it. */
  hook: Hook = () => undefined
  /** Whether deltas come after the outcomes they belong to, as from a replica that notices its own work late. */
  tellsLate = false
  /** How many operations it still carries out before the connection is lost; what came of the last is not told. */
  diesAfter = Infinity
  /** What it was asked to do. */
  readonly asked: string[] = []
  private readonly listeners = new Set<(delta: Delta) => void>()
  private resolveClosed: (reason: CloseReason) => void = () => {}
  private isClosed = false

  constructor(files: MemoryFiles) {
    this.files = files
    this.tree = files.tree()
    this.closed = new Promise((resolve) => {
      this.resolveClosed = resolve
    })
  }

  /** Something other than the sync changes files; the replica sees it in a later turn. */
  edit(...edits: Edit[]): void {
    for (const edit of edits) this.files.edit(edit)
    setImmediate(() => this.scan())
  }

  scan(): void {
    if (this.isClosed) return
    const delta = diffTrees(this.tree, this.files.tree())
    if (delta.length === 0) return
    this.tree = applyDelta(this.tree, delta)
    for (const listener of this.listeners) listener(delta)
  }

  subscribe(listener: (delta: Delta) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  async rescan(paths: readonly Path[] | 'all'): Promise<void> {
    this.asked.push(`rescan ${paths}`)
    await turn()
    this.scan()
  }

  async follow(rules: RuleSet): Promise<void> {
    this.asked.push('follow')
    this.rules = undefined
    await turn()
    this.rules = rules
  }

  async hash(requests: readonly HashRequest[]): Promise<(Digest | undefined)[]> {
    this.asked.push(...requests.map(({ path }) => `hash ${path}`))
    await turn()
    return requests.map(({ path, stamp }) => {
      const content = this.files.read(path, stamp)
      return content === undefined ? undefined : digestOf(content)
    })
  }

  async time(): Promise<number> {
    return this.files.now
  }

  async *apply(operations: readonly Operation[], source: ContentSource): AsyncGenerator<readonly Outcome[]> {
    for (const operation of operations) {
      this.asked.push(`${operation.op} ${operation.path}`)
      await turn()
      const problem = await this.hook(operation)
      if (this.isClosed) throw new Error('the replica is gone')
      const outcome: Outcome =
        problem === undefined
          ? this.files.carryOut(operation, await readerOf(source, operation))
          : { result: 'failed', path: operation.path, problem }
      if (--this.diesAfter < 0) this.cut()
      if (this.isClosed) throw new Error('the replica is gone')
      if (this.tellsLate) setTimeout(() => this.scan(), 2)
      else this.scan()
      yield [outcome]
    }
  }

  read(requests: readonly ReadRequest[]): Readable {
    const stream = new PassThrough()
    const writer = new ContentWriter(stream)
    for (const { path, stamp } of requests) {
      const content = this.files.read(path, stamp)
      if (content === undefined) writer.changed()
      else {
        const bytes = Buffer.from(content)
        bytes.copy(writer.chunk(bytes.length))
        if (bytes.length > 0) writer.confirm(bytes)
        writer.end(digestOf(content))
      }
    }
    void writer.flush().then(() => stream.end())
    return stream
  }

  /** The connection is cut. */
  cut(): void {
    this.isClosed = true
    this.resolveClosed({ kind: 'lost', message: 'cut' })
  }

  async close(): Promise<void> {
    this.isClosed = true
    this.resolveClosed({ kind: 'closed', message: 'closed' })
  }
}

/** Fakes hand content over directly; from elsewhere it comes as it would to a real one. */
async function readerOf(source: ContentSource, operation: Operation): Promise<ReadSource> {
  if (source instanceof FakeReplica) return source.files.read
  if (operation.op !== 'put') return () => undefined
  const { path, source: what } = operation
  const content = new ContentReader(readMessages(source.read([{ path, ...what }])))
  const first = await content.next()
  if (first.kind === 'end') return () => ''
  return () => (first.kind === 'chunk' ? first.bytes.toString() : undefined)
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
