import type { MuxChannel } from './channel.ts'
import { WireError } from './error.ts'
import { CONNECTION } from './frames.ts'

/** Channels that each end may have open at a time. */
const MAX_CHANNELS = 1024
const MAX_ID = 2 ** 32 - 1

/** The channels that are open, by id. Ids are never used again, so a frame that comes too late is told from a wrong one. */
export class Registry {
  private readonly channels = new Map<number, MuxChannel>()
  private readonly parity: 0 | 1
  /** The last id of each parity. */
  private readonly last: [even: number, odd: number] = [0, -1]
  private readonly open: [even: number, odd: number] = [0, 0]

  constructor(role: 'client' | 'server') {
    this.parity = role === 'client' ? 1 : 0
  }

  /** The id for a channel of ours. Throws when there are too many. */
  next(): number {
    const id = this.last[this.parity] + 2
    if (this.open[this.parity] >= MAX_CHANNELS || id > MAX_ID)
      throw new Error(`more than ${MAX_CHANNELS} channels`)
    this.last[this.parity] = id
    return id
  }

  /** Checks the id that the other end gave to a channel of its own. */
  accept(id: number): void {
    const theirs = parityOf(id)
    if (theirs === this.parity) throw new WireError(`channel ${id} opened by the wrong end`)
    if (id <= this.last[theirs] || id === CONNECTION) throw new WireError(`channel ${id} opened twice`)
    if (this.open[theirs] >= MAX_CHANNELS) throw new WireError(`more than ${MAX_CHANNELS} channels`)
    this.last[theirs] = id
  }

  add(channel: MuxChannel): void {
    this.channels.set(channel.id, channel)
    this.open[parityOf(channel.id)]++
  }

  remove(channel: MuxChannel): void {
    if (this.channels.delete(channel.id)) this.open[parityOf(channel.id)]--
  }

  /** The channel, or undefined if it is over. */
  get(id: number): MuxChannel | undefined {
    const channel = this.channels.get(id)
    if (channel === undefined && (id === CONNECTION || id > this.last[parityOf(id)])) {
      throw new WireError(`a frame for channel ${id}, which was never opened`)
    }
    return channel
  }

  /** Those that are open now. */
  all(): MuxChannel[] {
    return [...this.channels.values()]
  }
}

function parityOf(id: number): 0 | 1 {
  return id % 2 === 0 ? 0 : 1
}
