import type { Duplex } from 'node:stream'
import { messageOf } from '../../errors.ts'
import { WireError } from '../../wire/error.ts'
import { onMessage, readMessages, writeMessage } from '../../wire/messages.ts'
import { type Channel, Mux, type MuxClosed } from '../../wire/mux.ts'
import { foldersOf } from '../folders.ts'
import type { RuleSet } from '../ignore/rule-set.ts'
import { type Bin, noBin } from '../trash/bin.ts'
import type { LocalTrash } from '../trash/local-trash.ts'
import { TrashPass } from '../trash/pass.ts'
import { apply } from './apply.ts'
import type { Attributes } from './attributes.ts'
import { ContentReader, ContentWriter, type LoadStored } from './content.ts'
import { hashAll } from './hash-all.ts'
import type { Changes } from './holding.ts'
import { infoOf } from './info.ts'
import { encodeNotice } from './notice-codec.ts'
import { readOperations } from './operations.ts'
import {
  decodePurpose,
  encodeTaken,
  inMessages,
  type Notice,
  type Purpose,
  type Request,
} from './protocol.ts'
import { Sending } from './read.ts'
import type { Origin } from './replica.ts'
import { Reporter } from './reporter.ts'
import { decodeReadRequests, decodeRequest } from './request-codec.ts'
import type { OpenRoot, Root } from './root.ts'
import { Scanner } from './scanner.ts'
import { sign } from './sign.ts'

export interface ServeOptions {
  /** Where to put what is replaced or removed; unless given, it is gone. */
  readonly trash?: LocalTrash | undefined
  /** Where content is that was sent to this node before. */
  readonly load?: LoadStored | undefined
  /** What new files and directories get. */
  readonly attributes?: Attributes | undefined
  /** See `ScannerOptions`. */
  readonly signsAhead?: boolean | undefined
}

/**
 * Serves the replica of a root on a byte stream, until either ends; nobody else may use the stream. What is
 * said on it is in `protocol.ts`.
 * @returns resolves when the connection is over and everything that was open for it is closed; never rejects
 */
export function serveReplica(
  transport: Duplex,
  openRoot: OpenRoot,
  options: ServeOptions = {},
): Promise<MuxClosed> {
  const mux = new Mux(transport, { role: 'server' })
  let server: Server | undefined
  mux.onChannel((channel, header) => {
    const purpose = decodePurpose(header)
    if (purpose.kind === 'control') {
      if (server !== undefined) throw new WireError('a second control channel')
      server = new Server(channel, openRoot, options)
    } else if (server === undefined) {
      throw new WireError('a transfer without a control channel')
    } else if (purpose.kind === 'read') {
      server.read(channel, purpose.compresses)
    } else {
      server.apply(channel, purpose)
    }
  })
  return mux.closed.then(async (closed) => {
    await server?.close()
    return closed
  })
}

/** Changes that are worth a message. */
const IN_ADVANCE = 4096

/** How many bytes may be taken from a store before that is told. */
const TAKEN = 64 * 1024

/** The same, telling on a channel how much was taken. */
function tellingOf(load: LoadStored, channel: Channel): LoadStored {
  let taken = 0
  return (stored) => {
    taken += stored.size
    if (taken >= TAKEN && channel.writable) {
      void writeMessage(channel, encodeTaken(taken))
      taken = 0
    }
    return load(stored)
  }
}

type Applying = Extract<Purpose, { kind: 'apply' }>

class Server {
  private readonly control: Channel
  private readonly trash: LocalTrash | undefined
  private readonly load: LoadStored | undefined
  private readonly scanner: Scanner
  private readonly reporter = new Reporter({
    send: (report) => this.send(report),
    hasUntold: () => this.scanner.holding.untold > 0,
  })
  private toldRoot: Root | undefined
  private isTold = false
  private toldRules: RuleSet | undefined

  constructor(control: Channel, openRoot: OpenRoot, options: ServeOptions) {
    const { trash, load, attributes, signsAhead } = options
    this.control = control
    this.trash = trash
    this.load = load
    this.scanner = new Scanner({
      openRoot,
      attributes,
      signsAhead,
      onPass: (changes) => this.tell(changes),
      onRest: () => this.tellInAdvance(),
      onFailure: (error) => this.fail(error),
    })
    // The Mux tells when the connection is over.
    control.on('error', () => {})
    onMessage(control, (message) => this.answer(decodeRequest(message)))
  }

  /** Sends the content of the files that are asked for on the channel. */
  read(channel: Channel, compresses: boolean): void {
    channel.on('error', () => {})
    const serve = async () => {
      const sending = new Sending(this.scanner, new ContentWriter(channel, compresses))
      for await (const message of readMessages(channel)) await sending.send(decodeReadRequests(message))
      await sending.flush()
      channel.end()
    }
    serve().catch((error) => channel.destroy(error))
  }

  /** Carries out the operations that come on the channel. */
  apply(channel: Channel, { id, origin }: Applying): void {
    const cancelling = new AbortController()
    channel.on('error', () => cancelling.abort())
    const { load } = this
    // All other answers go over the control channel.
    if (load === undefined) channel.end()
    const serve = async () => {
      const messages = readMessages(channel)
      const operations = await readOperations(messages)
      const bin = this.binFor(origin)
      const isWhole = await apply(operations, {
        site: this.scanner,
        content: new ContentReader(messages, load && tellingOf(load, channel)),
        bin,
        onOutcome: (outcome) => this.reporter.add(id, outcome),
        signal: cancelling.signal,
      }).finally(() => bin.close())
      // Nobody takes what is left.
      if (!isWhole) channel.destroy()
      await messages.return()
      channel.end()
      channel.resume()
    }
    serve().then(
      () => this.reporter.finish(id, 'it was cancelled'),
      (error) => {
        this.reporter.finish(id, messageOf(error))
        channel.destroy()
      },
    )
  }

  async close(): Promise<void> {
    this.reporter.flush()
    this.reporter.release()
    await this.scanner.close()
  }

  private binFor(origin: Origin | undefined): Bin {
    const { trash, scanner } = this
    const root = scanner.root?.dir
    if (trash === undefined || root === undefined) return noBin
    return new TrashPass({ root: trash.root, origin, openStore: trash.openStoreFor(root) })
  }

  private answer(request: Request): void {
    this.answerTo(request).then(
      (notice) => this.send(notice),
      (error) => this.fail(error),
    )
  }

  private answerTo(request: Request): Promise<Notice> {
    switch (request.kind) {
      case 'follow':
        return this.follow(request)
      case 'rescan':
        return this.rescan(request)
      case 'hash':
        return this.hash(request)
      case 'time':
        return Promise.resolve({ kind: 'time', id: request.id, time: Date.now() })
      case 'sign':
        return this.sign(request)
    }
  }

  private async follow({ id, rules, reads }: Extract<Request, { kind: 'follow' }>): Promise<Notice> {
    await this.scanner.follow({ rules, reads })
    return { kind: 'rescanned', id }
  }

  private async rescan({ id, paths }: Extract<Request, { kind: 'rescan' }>): Promise<Notice> {
    await this.scanner.rescan(paths)
    return { kind: 'rescanned', id }
  }

  private async hash({ id, files }: Extract<Request, { kind: 'hash' }>): Promise<Notice> {
    return { kind: 'hashed', id, digests: await hashAll(this.scanner, files) }
  }

  private async sign({ id, file }: Extract<Request, { kind: 'sign' }>): Promise<Notice> {
    return { kind: 'signed', id, signature: await sign(this.scanner, file) }
  }

  /** Tells of a snapshot, if it is another than the last one. */
  private tell({ delta, problems }: Changes): void {
    const { root } = this.scanner
    const rules = this.newRules()
    const isSameRoot = this.isTold && root === this.toldRoot && rules === undefined
    if (isSameRoot && delta.length === 0 && problems.size === 0) return
    this.reporter.flush()
    if (!this.isTold || root !== this.toldRoot) this.send({ kind: 'info', info: infoOf(root) })
    this.toldRoot = root
    if (rules !== undefined) this.send({ kind: 'rules', rules })
    this.sendChanges({ delta, problems }, true)
    this.isTold = true
    this.reporter.release()
  }

  /** Sends parts of the first snapshot while it is being made, so that both ends work on it at the same time. */
  private tellInAdvance(): void {
    const { holding } = this.scanner
    if (!this.isTold && holding.untold >= IN_ADVANCE) this.sendChanges(holding.takeChanges(), false)
  }

  private sendChanges({ delta, problems }: Changes, isWhole: boolean): void {
    if (problems.size > 0) this.send({ kind: 'problems', problems })
    const parts = inMessages(delta)
    for (const [i, part] of parts.entries()) {
      const isLast = isWhole && i === parts.length - 1
      const folders = this.isTold ? undefined : foldersOf(part)
      this.send(folders ? { kind: 'folders', isLast, folders } : { kind: 'delta', isLast, delta: part })
    }
  }

  /** The rules that it goes by, if nobody was told of them. A folder that is gone has none: it may be back soon. */
  private newRules(): RuleSet | undefined {
    const { root, ruling } = this.scanner
    const { found } = ruling
    if (found === undefined || found === this.toldRules) return undefined
    if (root === undefined && this.toldRules !== undefined) return undefined
    this.toldRules = found
    return found
  }

  private send(notice: Notice): void {
    if (this.control.writable) void writeMessage(this.control, encodeNotice(notice))
  }

  /** A defect of ours, or nonsense from the other end: the tree there can no longer be relied on. */
  private fail(error: unknown): void {
    this.control.destroy(error instanceof Error ? error : new Error(String(error)))
  }
}
