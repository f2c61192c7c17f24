import type { Path } from '../../files/tree.ts'
import type { Depot, Piece } from './depot.ts'

/** A replica that takes content from its node's store. */
export interface Member {
  readonly depot: Depot
  /** What did not arrive by way of the store, and is sent to this replica alone when it is asked for again. */
  readonly alone: Set<Path>
  /** Bytes that it was told of and has not taken yet. */
  ahead: number
  waiting: (() => void)[]
}

/** What a replica was told the place of, for one `apply`. */
export class Told {
  readonly paths = new Set<Path>()
  isOver = false
  private readonly member: Member
  private bytes = 0

  constructor(member: Member) {
    this.member = member
  }

  add(path: Path, pieces: readonly Piece[]): void {
    this.paths.add(path)
    const size = pieces.reduce((sum, piece) => sum + (piece.kind === 'stored' ? piece.size : 0), 0)
    this.bytes += size
    this.member.ahead += size
  }

  taken(bytes: number): void {
    const taken = Math.min(bytes, this.bytes)
    this.bytes -= taken
    this.member.ahead -= taken
    for (const go of this.member.waiting.splice(0)) go()
  }

  end(): void {
    this.isOver = true
    this.taken(this.bytes)
  }
}
