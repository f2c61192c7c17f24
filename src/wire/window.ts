/** Credit is given back when this part of the window was read: seldom enough to cost nothing, early enough not to stall. */
const SHARE = 4

/** What the other end of a stream may send ahead of the reader here, in bytes. */
export class ReceiveWindow {
  private readonly size: number
  private left: number
  private received = 0
  private returned = 0

  constructor(size: number) {
    this.size = size
    this.left = size
  }

  /** The other end is about to send so many bytes; false if it may not. */
  claim(size: number): boolean {
    this.left -= size
    return this.left >= 0
  }

  /** So many bytes have arrived. */
  arrive(size: number): void {
    this.received += size
  }

  /** The credit to give back now that `unread` of what arrived waits for its reader: 0 until it is worth telling. */
  owed(unread: number): number {
    const read = this.received - this.returned - unread
    return read * SHARE >= this.size ? read : 0
  }

  /** So much credit was given back. */
  giveBack(credit: number): void {
    this.returned += credit
    this.left += credit
  }
}
