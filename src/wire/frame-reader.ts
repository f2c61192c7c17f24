import { WireError } from './error.ts'
import { DATA, type FrameHead, HEAD, MAX_CONTROL, MAX_DATA, RESET } from './frames.ts'

export interface FrameSink {
  /** A frame of any type but DATA, whole. */
  control(head: FrameHead, payload: Buffer): void
  /** A DATA frame of so many bytes begins; returns who takes them, or undefined to drop them. */
  data(channel: number, size: number): DataSink | undefined
}

export interface DataSink {
  /** Bytes in order, as views of what arrived. */
  receive(bytes: Buffer): void
}

/** Cuts chunks into frames. Data is passed on as it arrives, without a copy; all else is held until it is whole. */
export class FrameReader {
  private readonly sink: FrameSink
  private readonly held = Buffer.allocUnsafe(HEAD + MAX_CONTROL)
  private heldSize = 0
  /** Bytes of the DATA frame under way that are still to come, and who takes them. */
  private dataLeft = 0
  private target: DataSink | undefined
  private stopped = false

  constructor(sink: FrameSink) {
    this.sink = sink
  }

  /** Throws WireError for a frame of an unknown type or over its limit; what the sink throws passes through. */
  push(chunk: Buffer): void {
    let offset = 0
    while (offset < chunk.length && !this.stopped) {
      if (this.dataLeft > 0) offset = this.passOn(chunk, offset)
      else if (this.heldSize > 0 || chunk.length - offset < HEAD) offset = this.hold(chunk, offset)
      else offset = this.begin(chunk, offset)
    }
  }

  /** Whatever else arrives is dropped. */
  stop(): void {
    this.stopped = true
    this.target = undefined
  }

  private passOn(chunk: Buffer, offset: number): number {
    const end = Math.min(chunk.length, offset + this.dataLeft)
    this.dataLeft -= end - offset
    this.target?.receive(chunk.subarray(offset, end))
    return end
  }

  /** A frame whose head lies whole in the chunk. */
  private begin(chunk: Buffer, offset: number): number {
    const size = payloadSize(chunk, offset)
    const start = offset + HEAD
    if (this.beginData(chunk, offset)) return start
    if (chunk.length - start < size) return this.hold(chunk, offset)
    this.sink.control(headAt(chunk, offset), chunk.subarray(start, start + size))
    return start + size
  }

  private beginData(buffer: Buffer, offset: number): boolean {
    const { type, channel } = headAt(buffer, offset)
    if (type !== DATA) return false
    const size = payloadSize(buffer, offset)
    this.target = this.sink.data(channel, size)
    this.dataLeft = size
    return true
  }

  /** Collects a frame that does not lie in one chunk: its head first, then its payload unless that is data. */
  private hold(chunk: Buffer, start: number): number {
    const { held } = this
    const offset = this.fill(HEAD, chunk, start)
    if (this.heldSize < HEAD) return offset
    const size = payloadSize(held, 0)
    if (this.heldSize === HEAD && this.beginData(held, 0)) {
      this.heldSize = 0
      return offset
    }
    const end = this.fill(HEAD + size, chunk, offset)
    if (this.heldSize < HEAD + size) return end
    this.heldSize = 0
    this.sink.control(headAt(held, 0), Buffer.from(held.subarray(HEAD, HEAD + size)))
    return end
  }

  /** Copies until so much is held; returns the offset after what was copied. */
  private fill(total: number, chunk: Buffer, offset: number): number {
    const size = Math.min(Math.max(total - this.heldSize, 0), chunk.length - offset)
    chunk.copy(this.held, this.heldSize, offset, offset + size)
    this.heldSize += size
    return offset + size
  }
}

function headAt(buffer: Buffer, offset: number): FrameHead {
  return { channel: buffer.readUInt32LE(offset + 4), type: buffer[offset + 8] ?? 0 }
}

function payloadSize(buffer: Buffer, offset: number): number {
  const size = buffer.readUInt32LE(offset)
  const type = buffer[offset + 8] ?? 0
  if (type > RESET) throw new WireError(`a frame of unknown type ${type}`)
  if (size > (type === DATA ? MAX_DATA : MAX_CONTROL)) throw new WireError(`a frame of ${size} bytes`)
  return size
}
