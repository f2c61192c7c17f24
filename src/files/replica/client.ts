import { type Duplex, pipeline, type Readable } from 'node:stream'
import { errnoOf, KubesyncError } from '../../errors.ts'
import { WireError } from '../../wire/error.ts'
import { onMessage, writeMessage } from '../../wire/messages.ts'
import { type Channel, Mux } from '../../wire/mux.ts'
import type { Signature } from '../blocks/signature.ts'
import { noRules, type RuleSet } from '../ignore/rule-set.ts'
import type { Operation, Outcome } from '../operation.ts'
import type { Delta, Digest, Path } from '../tree.ts'
import { ApplyRun } from './apply-run.ts'
import { decodeNotice } from './notice-codec.ts'
import { writeOperations } from './operations.ts'
import {
  decodeTaken,
  encodePurpose,
  inMessages,
  type Notice,
  type Purpose,
  type Request,
} from './protocol.ts'
import type {
  CloseReason,
  ContentSource,
  HashRequest,
  Origin,
  ReadRequest,
  Replica,
  SignRequest,
} from './replica.ts'
import { encodeReadRequests, encodeRequest } from './request-codec.ts'
import type { RulesToFollow } from './ruling.ts'
import { Signing } from './signing.ts'
import { View } from './view.ts'

const ALL: RulesToFollow = { rules: noRules, reads: [] }

export interface ConnectOptions {
  /** What is to be ignored; nothing unless given. */
  readonly orders?: RulesToFollow | undefined
  /** Whether content that is read from it goes to another machine, and is to be compressed. */
  readonly isForAfar?: boolean | undefined
}

/**
 * Connects to the replica that is served on the other end of a byte stream. Resolves when it has been scanned;
 * rejects if the connection ends before. Nobody else may use the stream from now on; it ends with the replica.
 */
export async function connectReplica(transport: Duplex, options: ConnectOptions = {}): Promise<Replica> {
  const client = new Client(transport, options)
  await client.scanned
  return client
}

/** The code of a channel's error when the whole connection is over, in whatever way. */
const CONNECTION_LOST = 'CONNECTION_LOST'

type Answer = Extract<Notice, { kind: 'rescanned' | 'hashed' | 'time' | 'signed' }>
interface Asked {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

class Client implements Replica {
  readonly closed: Promise<CloseReason>
  /** Resolves with the first snapshot. */
  readonly scanned: Promise<void>
  private readonly mux: Mux
  private readonly compresses: boolean
  private readonly control: Channel
  private readonly view = new View()
  private readonly asked = new Map<number, Asked>()
  private readonly runs = new Map<number, ApplyRun>()
  private readonly signing = new Signing((file) => this.sign(file))
  private lastId = 0
  /** Why the control channel failed, which is the end of the connection. */
  private failure: string | undefined
  private gone: Error | undefined
  /** Whether the replica finds rules by itself, and tells of them. */
  private findsRules = false
  private ordersUnderWay = 0

  constructor(transport: Duplex, { orders = ALL, isForAfar = false }: ConnectOptions) {
    this.compresses = isForAfar
    this.mux = new Mux(transport, { role: 'client' })
    this.control = this.open({ kind: 'control' })
    onMessage(this.control, (message) => this.receive(decodeNotice(message)))
    this.control.once('end', () => this.control.destroy(new WireError('the replica says no more')))
    this.control.once('close', () => this.giveUp(this.control.errored))
    this.closed = this.mux.closed.then((reason) => this.end(reason))
    this.scanned = this.order(orders)
  }

  get info() {
    return this.view.info
  }

  get tree() {
    return this.view.tree
  }

  get problems() {
    return this.view.problems
  }

  get rules() {
    return this.ordersUnderWay > 0 ? undefined : this.view.rules
  }

  follow(rules: RuleSet): Promise<void> {
    return this.order({ rules, reads: [] })
  }

  subscribe(listener: (delta: Delta) => void): () => void {
    return this.view.subscribe(listener)
  }

  async rescan(paths: readonly Path[] | 'all'): Promise<void> {
    const parts = paths === 'all' ? [paths] : inMessages(paths)
    await Promise.all(parts.map((part) => this.ask((id) => ({ kind: 'rescan', id, paths: part }))))
  }

  async hash(requests: readonly HashRequest[]): Promise<(Digest | undefined)[]> {
    const parts = await Promise.all(inMessages(requests).map((files) => this.hashSome(files)))
    return parts.flat()
  }

  async time(): Promise<number> {
    const answer = await this.ask((id) => ({ kind: 'time', id }))
    if (answer.kind !== 'time') throw new WireError('another answer than the time')
    return answer.time
  }

  read(requests: readonly ReadRequest[]): Readable {
    const channel = this.open({ kind: 'read', compresses: this.compresses })
    for (const part of inMessages(requests)) void writeMessage(channel, encodeReadRequests(part))
    channel.end()
    return channel
  }

  async *apply(
    operations: readonly Operation[],
    source: ContentSource,
    origin?: Origin,
  ): AsyncGenerator<readonly Outcome[], void, void> {
    if (operations.length === 0) return
    if (this.gone !== undefined) throw this.gone
    const id = ++this.lastId
    const run = new ApplyRun(operations)
    this.runs.set(id, run)
    const channel = this.open({ kind: 'apply', id, ...(origin && { origin }) })
    if (source.taken === undefined) channel.resume()
    else onMessage(channel, (message) => source.taken?.(decodeTaken(message)))
    writeOperations(channel, operations)
    try {
      const wanted = await this.signing.requestsFor(operations)
      if (wanted.length === 0) channel.end()
      else {
        const content = source.read(wanted)
        content.once('error', (error) => run.sourceFailed(error.message))
        pipeline(content, channel, () => {})
      }
      yield* run.outcomes()
    } finally {
      // Left early: what has not been carried out is not to be.
      if (!run.isOver) channel.destroy()
    }
  }

  async close(): Promise<void> {
    await this.mux.close()
  }

  private open(purpose: Purpose): Channel {
    const channel = this.mux.open(encodePurpose(purpose))
    // Whoever reads or writes it hears of it too, and the connection's end is told once, by `closed`.
    channel.on('error', () => {})
    return channel
  }

  private async sign(file: SignRequest): Promise<Signature> {
    const answer = await this.ask((id) => ({ kind: 'sign', id, file }))
    if (answer.kind !== 'signed' || answer.signature.blockSize !== file.blockSize) {
      throw new WireError('another signature than was asked for')
    }
    return answer.signature
  }

  private async hashSome(files: readonly HashRequest[]): Promise<readonly (Digest | undefined)[]> {
    const answer = await this.ask((id) => ({ kind: 'hash', id, files }))
    if (answer.kind !== 'hashed' || answer.digests.length !== files.length) {
      throw new WireError('other digests than were asked for')
    }
    this.view.learn(files, answer.digests)
    return answer.digests
  }

  /** Until all orders were answered, nobody knows by which of them the tree was made. */
  private async order(orders: RulesToFollow): Promise<void> {
    this.ordersUnderWay++
    this.findsRules = orders.reads.length > 0
    await this.ask((id) => ({ kind: 'follow', id, ...orders }))
    this.ordersUnderWay--
    if (!this.findsRules) this.view.rules = orders.rules
  }

  private ask(request: (id: number) => Request): Promise<Answer> {
    const id = ++this.lastId
    return new Promise((resolve, reject) => {
      if (this.gone !== undefined) return reject(this.gone)
      this.asked.set(id, { resolve, reject })
      void writeMessage(this.control, encodeRequest(request(id)))
    })
  }

  private receive(notice: Notice): void {
    switch (notice.kind) {
      case 'rules':
        // Nobody but the laptop says what is ignored.
        if (!this.findsRules) throw new WireError('rules that nobody asked for')
        this.view.add(notice)
        return
      case 'info':
      case 'problems':
      case 'delta':
      case 'folders':
        this.view.add(notice)
        return
      case 'outcomes':
        this.run(notice.id).add(notice.outcomes)
        this.signing.learn(notice.outcomes)
        if (!notice.isInTree) this.view.addOutcomes(notice.outcomes)
        return
      case 'applied':
        this.run(notice.id).finish(notice.reason)
        this.runs.delete(notice.id)
        return
      case 'rescanned':
      case 'hashed':
      case 'time':
      case 'signed':
        this.asked.get(notice.id)?.resolve(notice)
        this.asked.delete(notice.id)
    }
  }

  private run(id: number): ApplyRun {
    const run = this.runs.get(id)
    if (run === undefined) throw new WireError('an outcome of nothing that is under way')
    return run
  }

  /** Without the control channel there is no replica. */
  private giveUp(error: Error | null): void {
    if (errnoOf(error) === CONNECTION_LOST) return
    this.failure = error?.message ?? 'the replica says no more'
    void this.mux.close()
  }

  /** The connection is over, and with it everything that is under way. */
  private end(reason: CloseReason): CloseReason {
    const closed: CloseReason = this.failure === undefined ? reason : { kind: 'lost', message: this.failure }
    this.gone = new KubesyncError('REPLICA_LOST', `the replica is gone: ${closed.message}`)
    for (const run of this.runs.values()) run.fail(this.gone)
    for (const { reject } of this.asked.values()) reject(this.gone)
    return closed
  }
}
